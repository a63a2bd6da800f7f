import { arrange, el, on, searchBox, setText, show } from '../runview/dom';
import { count, plural } from '../runview/format';
import { hasWords } from '../runview/ranking';
import { histogram, number } from './histogram';
import { own } from './table';
import type { ColumnStatistics, DatasetContent } from './types';

/** Rows in the page at a time. */
const PAGE = 100;
const HEADS = ['Column', 'Type', 'Missing', 'Different', 'Values', ''] as const;
const NUMBERS = new Set<string>(['Missing', 'Different']);

/** The columns of a dataset: type, what is missing, how many values, and how they lie. */
export class ColumnTable {
  readonly node = el('section');
  readonly #filter = searchBox('Filter columns');
  readonly #found = el('span', { class: 'nba-muted' });
  readonly #body = el('tbody');
  readonly #more = el('button', { hidden: '' }, 'Show more');
  #columns: readonly ColumnStatistics[] = [];
  #rows = 0;
  #limit = PAGE;
  #note = '';

  constructor() {
    const heads = HEADS.map(name => el('th', { scope: 'col', class: NUMBERS.has(name) ? 'nba-n' : '' }, name));
    const table = el('table', { class: 'nba-table', 'aria-label': 'Columns' }, el('thead', {}, el('tr', {}, ...heads)), this.#body);
    const scroller = el('div', { class: 'nba-scroller', tabindex: 0, role: 'region', 'aria-label': 'Columns' }, table);
    this.node.append(el('div', { class: 'nba-tools' }, this.#filter, this.#found), scroller, this.#more);
    on(this.#filter, 'input', () => {
      this.#limit = PAGE;
      this.#draw();
    });
    on(this.#more, 'click', () => {
      this.#limit += PAGE;
      this.#draw();
    });
  }

  update({ profile, is_partial: isPartial }: DatasetContent): void {
    this.#columns = profile.columns;
    this.#rows = profile.n_rows;
    this.#note = isPartial ? `statistics of the first ${plural(profile.n_rows, 'row')}` : '';
    this.#draw();
  }

  #draw(): void {
    const fits = this.#columns.filter(({ name, dtype, kind }) => hasWords(`${name} ${dtype} ${kind}`, this.#filter.value));
    setText(this.#found, [plural(fits.length, 'column'), this.#note].filter(Boolean).join(' · '));
    show(this.#more, fits.length > this.#limit);
    arrange(this.#body, fits.slice(0, this.#limit).map(column => row(column, this.#rows)));
  }
}

function row(column: ColumnStatistics, rows: number): HTMLElement {
  const chart = histogram(column);
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, own(column.name)),
    el('td', { class: 'nba-muted' }, column.dtype),
    el('td', { class: 'nba-n' }, column.missing_count ? `${count(column.missing_count)} (${percent(column.missing_count, rows)})` : '0'),
    el('td', { class: 'nba-n' }, count(column.unique_count)),
    el('td', { class: 'nba-values' }, own(summary(column))),
    el('td', {}, ...(chart ? [chart] : []))
  );
}

/** What a column's values are like, in a few words. */
export function summary(column: ColumnStatistics): string {
  const { kind, min, median, max, top } = column;
  if (kind === 'number' && typeof min === 'number' && typeof max === 'number') {
    return [min, median ?? min, max].map(value => number(value)).join(' … ');
  }
  if (kind === 'date') {
    return [min, max].map(value => String(value ?? '').replace('T00:00:00', '')).join(' … ');
  }
  return top.slice(0, 3).map(([value]) => value).join(', ');
}

function percent(part: number, whole: number): string {
  const share = whole ? (100 * part) / whole : 0;
  return share > 0 && share < 0.1 ? '<0.1 %' : `${share.toFixed(1)} %`;
}
