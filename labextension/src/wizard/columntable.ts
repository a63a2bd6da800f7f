import { arrange, el, on, searchBox, set, setText, show, svg } from '../runview/dom';
import { count, plural } from '../runview/format';
import type { Draft } from './draft';
import type { FormSpec, TableColumn, TableProfile } from './types';

/** Rows in the page at a time. */
const PAGE = 100;
const HEADS = ['Column', 'Missing', 'Different', 'Values', 'Use as', 'Why'] as const;
const [BARS_WIDTH, BARS_HEIGHT] = [84, 22];

/** The columns of the table: what is in each, what it would be used as, and a choice against that. */
export class ColumnTable {
  readonly node = el('div', { class: 'nba-columntable' });
  readonly #filter = searchBox('Filter columns');
  readonly #found = el('span', { class: 'nba-muted', role: 'status' });
  readonly #error = el('p', { class: 'nba-error', role: 'alert', hidden: '' });
  readonly #more = el('button', { hidden: '' }, 'Show more');
  readonly #body = el('tbody');
  readonly #rows = new Map<string, Row>();
  #table: TableProfile | null = null;
  #limit = PAGE;

  constructor(
    private readonly form: FormSpec,
    private readonly draft: Draft
  ) {
    const head = el('thead', {}, el('tr', {}, ...HEADS.map(name => el('th', { scope: 'col' }, name))));
    const table = el('table', { class: 'nba-table', 'aria-label': 'Columns' }, head, this.#body);
    const scroller = el('div', { class: 'nba-scroller', tabindex: 0, role: 'region', 'aria-label': 'Columns' }, table);
    this.node.append(el('div', { class: 'nba-tools' }, this.#filter, this.#found), this.#error, scroller, this.#more);
    on(this.#filter, 'input', () => this.#draw(PAGE));
    on(this.#more, 'click', () => this.#draw(this.#limit + PAGE));
  }

  /** Show the columns of other data, or what was said of these. */
  update(): void {
    if (this.draft.table !== this.#table) {
      this.#table = this.draft.table;
      this.#rows.clear();
      this.#filter.value = '';
      this.#limit = PAGE;
    }
    this.#draw(this.#limit);
  }

  setProblem(message: string): void {
    setText(this.#error, message);
    show(this.#error, message !== '');
  }

  focus(): void {
    this.#filter.focus();
  }

  #draw(limit: number): void {
    this.#limit = limit;
    show(this.node, this.#table !== null);
    if (!this.#table) {
      return;
    }
    const words = this.#filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = this.#table.columns.filter(column => {
      const text = `${column.name} ${column.purpose} ${column.dtype} ${column.reason}`.toLowerCase();
      return words.every(word => text.includes(word));
    });
    const chosen = this.draft.overrides.size;
    setText(this.#found, [plural(fits.length, 'column'), chosen ? `${count(chosen)} chosen by you` : ''].filter(Boolean).join(' · '));
    show(this.#more, fits.length > limit);
    const shown = fits.slice(0, limit).map(column => this.#row(column));
    const label = this.draft.label?.name;
    shown.forEach(row => row.update(row.name === label, this.draft.overrides.get(row.name) ?? ''));
    arrange(this.#body, shown.map(row => row.node));
  }

  #row(column: TableColumn): Row {
    let row = this.#rows.get(column.name);
    if (!row) {
      const seen = this.#table?.seen_rows ?? 0;
      row = new Row(column, seen, this.form, purpose => this.draft.override(column.name, purpose));
      this.#rows.set(column.name, row);
    }
    return row;
  }
}

class Row {
  readonly node = el('tr');
  readonly name: string;
  readonly #use: HTMLSelectElement;
  readonly #mark = el('span', { class: 'nba-badge', hidden: '' }, 'label');

  constructor(column: TableColumn, rows: number, form: FormSpec, choose: (purpose: string) => void) {
    this.name = column.name;
    const found = column.purpose === 'Ignore' ? 'not used' : column.purpose;
    const options = [
      el('option', { value: '' }, `${found} (found)`),
      ...form.purposes.map(purpose => el('option', { value: purpose }, purpose)),
      el('option', { value: form.drop }, 'Leave out')
    ];
    this.#use = el('select', { 'aria-label': `Use ${column.name} as` }, ...options);
    on(this.#use, 'change', () => choose(this.#use.value));
    const missing = column.missing ? `${count(column.missing)} (${share(column.missing, rows)})` : '';
    this.node.append(
      el('th', { scope: 'row', title: column.dtype }, column.name, ' ', this.#mark),
      el('td', { class: 'nba-n' }, missing),
      el('td', { class: 'nba-n' }, count(column.unique)),
      el('td', {}, values(column)),
      el('td', {}, this.#use),
      el('td', { class: 'nba-muted' }, column.reason)
    );
  }

  update(isLabel: boolean, purpose: string): void {
    show(this.#mark, isLabel);
    show(this.#use, !isLabel);
    if (this.#use.value !== purpose) {
      this.#use.value = purpose;
    }
    set(this.node, { class: purpose ? 'nba-chosen' : '' });
  }
}

/** Bars with both ends for numbers and dates, else the most frequent values. */
function values(column: TableColumn): Node | string {
  if (!column.histogram.length) {
    return column.top.map(([value, n]) => `${value} (${count(n)})`).join(', ');
  }
  const ends = [column.min, column.max].map(end => (typeof end === 'number' ? short(end) : (end ?? '').slice(0, 10)));
  return el('span', { class: 'nba-range' }, ends[0] ?? '', bars(column.histogram), ends[1] ?? '');
}

function short(value: number): string {
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)));
}

function bars(counts: readonly number[]): SVGElement {
  const most = Math.max(1, ...counts);
  const width = BARS_WIDTH / counts.length;
  const node = svg('svg', { class: 'nba-bars', width: BARS_WIDTH, height: BARS_HEIGHT, 'aria-hidden': 'true' });
  counts.forEach((n, i) => {
    const height = n ? Math.max(1, (n / most) * BARS_HEIGHT) : 0;
    node.append(svg('rect', { x: i * width, y: BARS_HEIGHT - height, width: Math.max(1, width - 1), height }));
  });
  return node;
}

function share(part: number, whole: number): string {
  return whole ? `${((100 * part) / whole).toFixed(part * 10 < whole ? 1 : 0)} %` : '';
}
