import { el, set, setText } from './dom';
import type { Column, Order } from './ranking';

const COLUMNS: readonly { column: Column; label: string; isNumber: boolean }[] = [
  { column: 'n', label: '#', isNumber: true },
  { column: 'name', label: 'Pipeline', isNumber: false },
  { column: 'score', label: 'Score', isNumber: true },
  { column: 'seconds', label: 'Duration', isNumber: true },
  { column: 'status', label: 'State', isNumber: false }
];

/** The table's head: a button a column, and `aria-sort` on the one it is sorted by. */
export class HeadRow {
  readonly node = el('tr');
  readonly #cells = COLUMNS.map(({ column, label, isNumber }) => {
    const text = el('span', {}, label);
    const arrow = el('span', { class: 'nba-arrow', 'aria-hidden': 'true' });
    const button = el('button', { type: 'button' }, text, arrow);
    const cell = el('th', { scope: 'col', class: isNumber ? 'nba-n' : '' }, button);
    button.addEventListener('click', () => this.onSort(column));
    this.node.append(cell);
    return { column, cell, text, arrow };
  });

  constructor(private readonly onSort: (column: Column) => void) {}

  update(order: Order, metric: string): void {
    for (const { column, cell, text, arrow } of this.#cells) {
      if (column === 'score') {
        setText(text, metric);
      }
      const isSorted = column === order.column;
      setText(arrow, isSorted ? (order.isDescending ? ' ▾' : ' ▴') : '');
      set(cell, { 'aria-sort': isSorted ? (order.isDescending ? 'descending' : 'ascending') : 'none' });
    }
  }
}
