import { arrange, el, set, setText, show } from '../dom';
import { count, score } from '../format';
import type { Cell, Logged } from './types';

/** The newest value of each name, as tiles. */
export class Values {
  readonly node = el('div');
  readonly #tiles = el('div', { class: 'nba-tiles', role: 'group', 'aria-label': 'Values' });
  readonly #none = el('p', { class: 'nba-muted' }, 'Nothing is logged yet.');
  readonly #cells = new Map<string, { node: HTMLElement; value: HTMLElement; note: HTMLElement }>();

  constructor() {
    this.node.append(this.#none, this.#tiles);
    show(this.#tiles, false);
  }

  update({ values, tables, charts }: Logged): void {
    show(this.#tiles, values.length > 0);
    show(this.#none, !values.length && !tables.length && !charts.length);
    const nodes = values.map(({ name, value, n }) => {
      const cell = this.#cell(name);
      setText(cell.value, valueText(value));
      set(cell.value, { title: String(value ?? '') });
      setText(cell.note, n > 1 ? `last of ${count(n)}` : '');
      return cell.node;
    });
    arrange(this.#tiles, nodes);
  }

  #cell(name: string): { node: HTMLElement; value: HTMLElement; note: HTMLElement } {
    const known = this.#cells.get(name);
    if (known) {
      return known;
    }
    const made = { node: el('div'), value: el('strong', { class: 'nba-value' }), note: el('span') };
    made.node.append(el('span', {}, name), made.value, made.note);
    this.#cells.set(name, made);
    return made;
  }
}

/** A logged value as people read it. */
export function valueText(value: Cell): string {
  if (typeof value !== 'number') {
    return value ?? 'missing';
  }
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : score(value);
}
