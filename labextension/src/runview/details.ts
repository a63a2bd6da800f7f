import { Compare } from './compare';
import { el, messageOf } from './dom';
import type { RunExtras } from './extras';
import { plain, scoreOrDash } from './format';
import { ModelActions, type ModelSource } from './modelactions';
import { N_COLUMNS } from './row';
import type { Trial, TrialDetails } from './types';

export interface DetailsSource extends ModelSource {
  details(n: number): Promise<TrialDetails>;
}

/** What is fetched on demand of the chosen trial: settings, metrics, folds, the whole error. */
export class DetailsRow {
  readonly node = el('tr', { class: 'nba-details' });
  readonly #cell = el('td', { colspan: N_COLUMNS });
  #shown: { n: number; status: string } | null = null;

  constructor(
    private readonly source: DetailsSource,
    private readonly proposal: () => string,
    private readonly trials: () => readonly Trial[],
    private readonly extras: RunExtras
  ) {
    this.node.append(this.#cell);
  }

  /** Show a trial; it is fetched again only when it is another one, or has ended since. */
  async update(trial: Trial): Promise<void> {
    if (this.#shown?.n === trial.n && this.#shown.status === trial.status) {
      return;
    }
    const asked = { n: trial.n, status: trial.status };
    const isOther = this.#shown?.n !== trial.n;
    this.#shown = asked;
    if (isOther) {
      this.#cell.replaceChildren(el('span', { class: 'nba-muted' }, 'Loading…'));
    }
    let content: Node[];
    try {
      const details = await this.source.details(trial.n);
      content = draw(details);
      if (trial.status === 'Completed') {
        content.unshift(new ModelActions(trial.n, this.proposal(), this.source, this.extras, details.onnx).node);
      }
      content.push(new Compare(details, this.trials, n => this.source.details(n)).node);
    } catch (error) {
      content = offline(trial, messageOf(error));
    }
    if (this.#shown === asked) {
      this.#cell.replaceChildren(...content);
    }
  }

  clear(): void {
    this.#shown = null;
    this.#cell.replaceChildren();
  }
}

function draw(details: TrialDetails): Node[] {
  const parts: Node[] = [];
  if (details.error_full) {
    parts.push(block('Error', el('pre', { tabindex: 0 }, details.error_full)));
  }
  const folds = details.fold_scores.map((value, i): [string, unknown] => [`fold ${i + 1}`, scoreOrDash(value)]);
  parts.push(block('Settings', pairs(Object.entries(details.params), 'the defaults')));
  parts.push(block('Metrics', pairs(Object.entries(details.metrics).map(([k, v]) => [k, scoreOrDash(v)]), 'none yet')));
  if (folds.length > 1) {
    parts.push(block('Folds', pairs(folds, '')));
  }
  return [el('div', { class: 'nba-blocks' }, ...parts)];
}

function offline(trial: Trial, reason: string): Node[] {
  const parts: Node[] = [];
  if (trial.error) {
    parts.push(block('Error', el('pre', {}, trial.error)));
  }
  parts.push(el('p', { class: 'nba-muted' }, `Its settings and metrics cannot be shown now. ${reason}`));
  return parts;
}

function block(name: string, content: Element): Element {
  return el('section', {}, el('h4', {}, name), content);
}

function pairs(entries: readonly (readonly [string, unknown])[], empty: string): Element {
  if (!entries.length) {
    return el('p', { class: 'nba-muted' }, empty);
  }
  const list = el('div', { class: 'nba-pairs' });
  for (const [name, value] of entries) {
    const text = el('span', {}, plain(value));
    list.append(el('span', { class: 'nba-muted' }, name), text);
  }
  return list;
}
