import { el, fill, on, setText, show } from '../dom';
import { plural } from '../format';
import type { ExplanationPart } from './part';
import type { Cell, Explanation, Sample, WhatIfAnswer } from './types';
import { Waterfall } from './waterfall';
import { WhatIf } from './whatif';
import { cellText, short } from './words';

const ORDERS = [
  ['all', 'as they come'],
  ['worst', 'worst predicted first'],
  ['high', 'highest answer first'],
  ['low', 'lowest answer first']
] as const;

export type AskWhatIf = (row: number, changes: Record<string, Cell>) => Promise<WhatIfAnswer>;

/** One explained row at a time: what is true, what the model says, why, and what if it were different. */
export class RowView implements ExplanationPart {
  readonly node = el('div');
  readonly #orders = el('select', { 'aria-label': 'Order of the rows' });
  readonly #place = el('input', { type: 'number', min: 1, value: 1, 'aria-label': 'Row' });
  readonly #before = el('button', { 'aria-label': 'Row before' }, '‹');
  readonly #after = el('button', { 'aria-label': 'Next row' }, '›');
  readonly #of = el('span', { class: 'nba-muted' });
  readonly #facts = el('p', { class: 'nba-facts', 'aria-live': 'polite' });
  readonly #waterfall = new Waterfall();
  readonly #whatIf: WhatIf;
  #explanation: Explanation | null = null;
  #order: number[] = [];

  constructor(ask: AskWhatIf) {
    this.#whatIf = new WhatIf(ask);
    fill(this.#orders, ORDERS);
    const tools = el('div', { class: 'nba-tools' }, this.#orders, this.#before, this.#place, this.#after, this.#of);
    this.node.append(tools, this.#facts, this.#waterfall.node, this.#whatIf.node);
    on(this.#orders, 'change', () => this.#reorder());
    on(this.#place, 'change', () => this.#draw());
    on(this.#place, 'keydown', event => event.stopPropagation());
    on(this.#before, 'click', () => this.#move(-1));
    on(this.#after, 'click', () => this.#move(1));
  }

  show(explanation: Explanation): void {
    const isOther = this.#explanation?.made_at !== explanation.made_at;
    this.#explanation = explanation;
    if (isOther) {
      this.#reorder();
    }
  }

  #reorder(): void {
    if (this.#explanation) {
      this.#order = ordered(this.#explanation.sample, this.#orders.value);
      this.#place.value = '1';
      this.#draw();
    }
  }

  #move(by: number): void {
    this.#place.value = String(Number(this.#place.value) + by);
    this.#draw();
  }

  #draw(): void {
    const sample = this.#explanation?.sample;
    const n = this.#order.length;
    const at = Math.min(Math.max(Math.round(Number(this.#place.value)) || 1, 1), Math.max(n, 1));
    this.#place.value = String(at);
    this.#place.max = String(Math.max(n, 1));
    this.#before.disabled = at <= 1;
    this.#after.disabled = at >= n;
    setText(this.#of, n ? `of ${plural(n, 'row')}` : 'No row is explained.');
    const row = this.#order[at - 1];
    show(this.#waterfall.node, row !== undefined);
    show(this.#whatIf.node, row !== undefined);
    if (sample && row !== undefined) {
      setText(this.#facts, facts(sample, row));
      this.#waterfall.show(sample, row);
      this.#whatIf.show(sample, row);
    }
  }
}

/** Rows in an order that is asked for. */
export function ordered(sample: Sample, order: string): number[] {
  const rows = sample.truth.map((_, i) => i);
  const output = (i: number): number => sample.output[i] ?? 0;
  const sizes = rows.map(i => errorOf(sample, i));
  const by: Record<string, (a: number, b: number) => number> = {
    worst: (a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0),
    high: (a, b) => output(b) - output(a),
    low: (a, b) => output(a) - output(b)
  };
  const compare = by[order];
  return compare ? rows.sort(compare) : rows;
}

/** How far off a row's prediction is: by models that were not fitted on it, where there are such. */
export function errorOf(sample: Sample, row: number): number {
  const truth = sample.truth[row] ?? null;
  const said = (sample.held_out ?? sample.said)[row] ?? null;
  if (typeof truth === 'number' && typeof said === 'number') {
    return Math.abs(said - truth);
  }
  const output = (sample.held_out_output ?? sample.output)[row] ?? 0;
  const isTold = sample.told[row]?.endsWith(` of ${truth ?? ''}`) ?? false;
  return (said === truth ? 0 : 1) + Math.abs((isTold ? 1 : 0) - output) / 10;
}

function facts(sample: Sample, row: number): string {
  const said = cellText(sample.said[row] ?? null);
  const output = sample.output[row] ?? null;
  const isNumber = typeof sample.said[row] === 'number';
  const parts = [
    `The model says ${said}${isNumber || output === null ? '' : ` (${sample.told[row] ?? ''}: ${short(output)})`}`,
    `true is ${cellText(sample.truth[row] ?? null)}`
  ];
  const heldOut = sample.held_out?.[row];
  if (heldOut !== undefined) {
    parts.push(`models that were not fitted on this row say ${cellText(heldOut)}`);
  }
  return `${parts.join('; ')}.`;
}
