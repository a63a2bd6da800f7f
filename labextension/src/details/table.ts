import { el, on } from '../runview/dom';

export interface Column {
  readonly label: string;
  readonly isNumber?: boolean;
}

/** A table of a head and rows; cells are texts or nodes. */
export function table(
  label: string,
  columns: readonly Column[],
  rows: readonly (readonly (Node | string)[])[]
): HTMLElement {
  const kind = (i: number): string => (columns[i]?.isNumber ? 'nba-n' : '');
  const head = columns.map(({ label: name }, i) => el('th', { scope: 'col', class: kind(i) }, name));
  const body = rows.map(cells => el('tr', {}, ...cells.map((cell, i) => el('td', { class: kind(i) }, cell))));
  const node = el('table', { class: 'nba-table', 'aria-label': label }, el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...body));
  return el('div', { class: 'nba-scroller', tabindex: 0, role: 'region', 'aria-label': label }, node);
}

/** A text whose direction is its own, so that it does not turn its neighbours round. */
export function own(text: string): HTMLElement {
  return el('bdi', {}, text);
}

/** Text that opens something. */
export function link(text: string, open: () => void): HTMLElement {
  const button = el('button', { class: 'nba-link' }, text);
  on(button, 'click', open);
  return button;
}

/** What stands where there is nothing. */
export function note(text: string): HTMLElement {
  return el('p', { class: 'nba-muted' }, text);
}
