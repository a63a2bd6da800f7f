import { own, table } from '../../details/table';
import { arrange, el, show } from '../dom';
import { plural } from '../format';
import type { Logged, Table } from './types';
import { valueText } from './values';
import type { LoggedPart } from './view';

/** The tables that were logged. */
export class Tables implements LoggedPart {
  readonly node = el('section');
  readonly #drawn = new Map<string, { node: HTMLElement; words: string }>();

  update({ tables }: Logged): void {
    show(this.node, tables.length > 0);
    arrange(this.node, tables.map(one => this.#draw(one)));
  }

  #draw(one: Table): HTMLElement {
    const words = JSON.stringify(one);
    const known = this.#drawn.get(one.name);
    if (known?.words === words) {
      return known.node;
    }
    const columns = one.columns.map((label, i) => ({ label, isNumber: one.rows.some(row => typeof row[i] === 'number') }));
    const rows = one.rows.map(cells => cells.map(cell => own(cell === null ? '' : valueText(cell))));
    const more = one.n_rows - one.rows.length;
    const node = el('div', {}, el('h4', {}, one.name), table(one.name, columns, rows));
    if (more > 0) {
      node.append(el('p', { class: 'nba-muted' }, `and ${plural(more, 'row')} more`));
    }
    this.#drawn.set(one.name, { node, words });
    return node;
  }
}
