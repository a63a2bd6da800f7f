import { el, messageOf, on, setText } from './dom';
import { plain, score, scoreOrDash } from './format';
import type { Trial, TrialDetails } from './types';

/** Two trials side by side: what differs in their settings, and who is ahead in which metric. */
export class Compare {
  readonly node = el('div', { class: 'nba-compare' });
  readonly #others = el('select', { 'aria-label': 'Compare with' });
  readonly #table = el('div');

  constructor(
    private readonly own: TrialDetails,
    trials: () => readonly Trial[],
    private readonly load: (n: number) => Promise<TrialDetails>
  ) {
    this.node.append(el('label', { class: 'nba-muted' }, 'Compare with ', this.#others), this.#table);
    this.#others.append(el('option', { value: '' }, '…'));
    on(this.#others, 'focus', () => this.#fill(trials()));
    on(this.#others, 'change', () => void this.#show());
    this.#fill(trials());
  }

  #fill(trials: readonly Trial[]): void {
    const known = new Set([...this.#others.options].map(option => option.value));
    for (const trial of trials) {
      if (trial.n !== this.own.n && !known.has(String(trial.n))) {
        const option = el('option', { value: trial.n }, `${trial.n} ${trial.name} ${score(trial.score)}`);
        this.#others.append(option);
      }
    }
  }

  async #show(): Promise<void> {
    const value = this.#others.value;
    if (value === '') {
      this.#table.replaceChildren();
      return;
    }
    setText(this.#table, 'Loading…');
    try {
      const other = await this.load(Number(value));
      if (this.#others.value === value) {
        this.#table.replaceChildren(draw(this.own, other));
      }
    } catch (error) {
      setText(this.#table, messageOf(error));
    }
  }
}

function draw(one: TrialDetails, two: TrialDetails): HTMLTableElement {
  const heads = ['', `Iteration ${one.n}`, `Iteration ${two.n}`];
  const head = el('tr', {}, ...heads.map(text => el('th', { scope: 'col' }, text)));
  const body = el('tbody', {}, row('Pipeline', [one.name, two.name]));
  for (const name of union(one.params, two.params)) {
    body.append(row(name, [words(one.params[name]), words(two.params[name])]));
  }
  const minimized = new Set([...one.minimized, ...two.minimized]);
  for (const name of union(one.metrics, two.metrics)) {
    const values: [number | null, number | null] = [one.metrics[name] ?? null, two.metrics[name] ?? null];
    body.append(row(name, [scoreOrDash(values[0]), scoreOrDash(values[1])], ahead(values, minimized.has(name))));
  }
  return el('table', { class: 'nba-table', 'aria-label': 'Comparison' }, el('thead', {}, head), body);
}

function union(one: object, two: object): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(two)])];
}

/** Which of two values is the better one; null when they are alike or one is missing. */
function ahead([a, b]: readonly [number | null, number | null], isMinimized: boolean): 0 | 1 | null {
  if (a === null || b === null || a === b) {
    return null;
  }
  return a < b === isMinimized ? 0 : 1;
}

function row(name: string, values: readonly [string, string], best: 0 | 1 | null = null): HTMLTableRowElement {
  const cells = values.map((value, i) => {
    const cell = el('td', i === best ? { class: 'nba-ahead' } : {});
    setText(cell, value);
    if (i === best) {
      cell.append(el('span', { class: 'nba-hidden' }, ' (better)'));
    }
    return cell;
  });
  const head = el('th', { scope: 'row' }, name);
  const node = el('tr', {}, head, ...cells);
  node.classList.toggle('nba-alike', values[0] === values[1]);
  return node;
}

function words(value: unknown): string {
  if (value === undefined || value === null) {
    return '–';
  }
  return plain(value);
}
