import { arrange, el } from '../dom';
import type { Sample } from './types';
import { cellText, short, signed } from './words';

const MOST = 12;

interface Step {
  name: string;
  cell: string;
  by: number;
}

/** How one answer comes about: from the base, column by column, to what the model says. */
export class Waterfall {
  readonly node = el('ol', { class: 'nba-bars nba-waterfall' });

  show(sample: Sample, row: number): void {
    const [base, output] = [sample.base[row] ?? null, sample.output[row] ?? null];
    if (base === null || output === null) {
      this.node.replaceChildren();
      return;
    }
    const told = steps(sample, row);
    const places = [base];
    told.forEach(step => places.push((places[places.length - 1] ?? 0) + step.by));
    const [low, high] = [Math.min(...places, output), Math.max(...places, output)];
    const width = high - low || 1;
    const at = (value: number): number => (100 * (value - low)) / width;
    const lines = told.map((step, i) => line(step, at(places[i] ?? base), at(places[i + 1] ?? base)));
    this.node.setAttribute('aria-label', `How ${sample.told[row] ?? 'the answer'} comes about`);
    arrange(this.node, [end('before any column', base, at(base)), ...lines, end(sample.told[row] ?? '', output, at(output))]);
  }
}

/** Sums of numbers in the computer's form end near zero, not at it: less than this of the greatest is nothing. */
const NOTHING = 1e-9;

/** The columns that move the answer most, and all others together. */
export function steps(sample: Sample, row: number): Step[] {
  const values = sample.contributions[row] ?? [];
  const all = sample.columns.map((column, i) => ({
    name: column.name,
    cell: cellText(sample.cells[row]?.[i] ?? null),
    by: values[i] ?? 0
  }));
  const ranked = all.sort((a, b) => Math.abs(b.by) - Math.abs(a.by));
  const rest = ranked.slice(MOST).reduce((sum, step) => sum + step.by, sample.rest[row] ?? 0);
  const shown = ranked.slice(0, MOST).filter(step => step.by !== 0);
  const most = Math.abs(ranked[0]?.by ?? 0);
  return Math.abs(rest) <= NOTHING * most ? shown : [...shown, { name: 'all other columns', cell: '', by: rest }];
}

function line(step: Step, from: number, to: number): HTMLLIElement {
  const name = el('span', { class: 'nba-barname' }, step.cell ? `${step.name} = ${step.cell}` : step.name);
  name.title = name.textContent ?? '';
  const piece = el('b', { class: step.by < 0 ? 'nba-down' : 'nba-up' });
  piece.style.marginLeft = `${Math.min(from, to)}%`;
  piece.style.width = `${Math.max(Math.abs(to - from), 0.4)}%`;
  const track = el('span', { class: 'nba-track', 'aria-hidden': 'true' }, piece);
  return el('li', {}, name, track, el('span', { class: 'nba-number' }, signed(step.by)));
}

function end(words: string, value: number, at: number): HTMLLIElement {
  const mark = el('i');
  mark.style.marginLeft = `${Math.min(at, 99.4)}%`;
  const track = el('span', { class: 'nba-track', 'aria-hidden': 'true' }, mark);
  const name = el('span', { class: 'nba-barname' }, words);
  return el('li', { class: 'nba-end' }, name, track, el('span', { class: 'nba-number' }, short(value)));
}
