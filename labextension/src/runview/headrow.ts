import { el, on, set, setText } from './dom';

export interface Head<C> {
  readonly column: C;
  readonly label: string;
  readonly isNumber?: boolean;
}

/** Which column a table is sorted by, and which way round. */
export interface SortedBy<C> {
  readonly column: C;
  readonly isDescending: boolean;
}

/** A table's head: a button a column, and `aria-sort` on the one it is sorted by. */
export class HeadRow<C> {
  readonly node = el('tr');
  readonly #cells: { column: C; cell: Element; text: Element; arrow: Element }[];

  constructor(heads: readonly Head<C>[], onSort: (column: C) => void) {
    this.#cells = heads.map(({ column, label, isNumber }) => {
      const text = el('span', {}, label);
      const arrow = el('span', { class: 'nba-arrow', 'aria-hidden': 'true' });
      const button = el('button', {}, text, arrow);
      const cell = el('th', { scope: 'col', class: isNumber ? 'nba-n' : '' }, button);
      on(button, 'click', () => onSort(column));
      this.node.append(cell);
      return { column, cell, text, arrow };
    });
  }

  /** Mark the column that the table is sorted by, and label it anew where its label changes. */
  update(order: SortedBy<C>, labels: ReadonlyMap<C, string> = new Map()): void {
    for (const { column, cell, text, arrow } of this.#cells) {
      setText(text, labels.get(column) ?? text.textContent ?? '');
      const isSorted = column === order.column;
      setText(arrow, isSorted ? (order.isDescending ? ' ▾' : ' ▴') : '');
      set(cell, { 'aria-sort': isSorted ? (order.isDescending ? 'descending' : 'ascending') : 'none' });
    }
  }
}
