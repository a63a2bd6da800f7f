import { arrange, el, set, setText, show } from './dom';
import { count, percent, score } from './format';
import type { LabelSummary } from './types';

const PARTS = ['training', 'validation'] as const;

/** The label: how many rows each class has, or how its numbers lie, as bars. */
export class LabelBars {
  readonly node = el('section', { class: 'nba-label', hidden: '' });
  readonly #title = el('h4');
  readonly #facts = el('p', { class: 'nba-muted' });
  readonly #body = el('tbody');

  constructor() {
    this.node.append(this.#title, this.#facts, el('table', { 'aria-label': 'Rows by label' }, this.#body));
  }

  update(label: LabelSummary | null): void {
    show(this.node, label !== null);
    if (!label) {
      return;
    }
    setText(this.#title, `Label: ${label.name}`);
    setText(this.#facts, facts(label));
    const most = label.rows.map((_, part) => Math.max(1, ...label.bars.map(([, counts]) => counts[part] ?? 0)));
    arrange(this.#body, label.bars.map(([text, counts]) => row(text, counts, label.rows, most)));
    this.node.classList.toggle('nba-dense', label.kind === 'numbers');
  }
}

function facts(label: LabelSummary): string {
  const parts = label.rows.map((rows, i) => `${count(rows)} ${PARTS[i] ?? ''} rows`);
  if (label.kind === 'classes') {
    const others = label.others ?? 0;
    return [...parts, `${count(label.bars.length - (others ? 1 : 0) + others)} classes`].join(' · ');
  }
  const { mean, median } = label;
  const centre = mean === undefined || median === undefined ? [] : [`mean ${score(mean)}`, `median ${score(median)}`];
  return [...parts, ...centre].join(' · ');
}

function row(text: string, counts: readonly number[], rows: readonly number[], most: readonly number[]): HTMLTableRowElement {
  const bars = el('td', { class: 'nba-bars' });
  const words: string[] = [];
  counts.forEach((value, part) => {
    const bar = el('b', { 'data-part': part });
    // Shares of each part's own greatest bar: both parts then have the same scale.
    bar.style.width = `${((100 * value) / (most[part] ?? 1)).toFixed(2)}%`;
    bars.append(bar);
    words.push(`${count(value)} (${percent(value, rows[part] ?? 0)})`);
  });
  const name = el('th', { scope: 'row' }, text);
  const node = el('tr', {}, name, bars, el('td', { class: 'nba-n' }, words.join(' · ')));
  set(node, { title: counts.map((value, i) => `${PARTS[i] ?? ''}: ${count(value)}`).join(', ') });
  return node;
}
