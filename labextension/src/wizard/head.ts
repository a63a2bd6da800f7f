import { el, show } from '../runview/dom';
import type { TableProfile } from './types';

/** Columns of the first rows that are shown: a person looks whether the table was read well. */
const MOST_COLUMNS = 40;

/** The first rows of the table, folded away at first. */
export class Head {
  readonly node = el('details', { class: 'nba-more', hidden: '' }, el('summary', {}, 'First rows'));
  readonly #scroller = el('div', { class: 'nba-scroller', tabindex: 0, role: 'region', 'aria-label': 'First rows' });

  constructor() {
    this.node.append(this.#scroller);
  }

  update(table: TableProfile | null): void {
    show(this.node, table !== null);
    if (!table) {
      return;
    }
    const names = table.columns.slice(0, MOST_COLUMNS).map(({ name }) => el('th', { scope: 'col' }, name));
    const rows = table.head.map(row => el('tr', {}, ...row.slice(0, MOST_COLUMNS).map(cell => el('td', {}, cell))));
    const body = el('table', { class: 'nba-table' }, el('thead', {}, el('tr', {}, ...names)), el('tbody', {}, ...rows));
    this.#scroller.replaceChildren(body);
    if (table.n_columns > MOST_COLUMNS) {
      this.#scroller.append(el('p', { class: 'nba-muted' }, `The first ${MOST_COLUMNS} of ${table.n_columns} columns.`));
    }
  }
}
