import type { Component } from './component';
import { arrange, el, messageOf, on, searchBox, setText, show, statusLine } from './dom';
import { count, percent, plural, score } from './format';
import { LabelBars } from './label';
import type { RunState } from './model';
import { hasWords } from './ranking';
import type { RunColumn, RunColumns } from './types';

/** Rows in the page at a time. */
const PAGE = 100;
const HEADS = ['Column', 'Used as', 'Missing', 'Different', 'Mean', 'Least', 'Greatest', 'Why'] as const;
const NUMBERS = new Set<string>(['Missing', 'Different', 'Mean', 'Least', 'Greatest']);

/** The data: how the label lies, and of each column what it is used as, why, and what is in it. */
export class Columns implements Component {
  readonly node = el('section', { class: 'nba-columns' });
  readonly #label = new LabelBars();
  readonly #filter = searchBox('Filter columns');
  readonly #found = el('span', { class: 'nba-muted' });
  readonly #more = el('button', { hidden: '' }, 'Show more');
  readonly #body = el('tbody');
  readonly #table = el('table', { class: 'nba-table', 'aria-label': 'Columns' });
  readonly #message = statusLine();
  #data: RunColumns = { rows: 0, columns: [] };
  #state: RunState | null = null;
  #isOpen = false;
  #isLoading = false;
  #limit = PAGE;

  constructor(private readonly load: () => Promise<RunColumns>) {
    const heads = HEADS.map(name => el('th', { scope: 'col', class: NUMBERS.has(name) ? 'nba-n' : '' }, name));
    this.#table.append(el('thead', {}, el('tr', {}, ...heads)), this.#body);
    const scroller = el('div', { class: 'nba-scroller' }, this.#table);
    const tools = el('div', { class: 'nba-tools' }, this.#filter, this.#found);
    this.node.append(this.#label.node, el('h4', {}, 'Columns'), tools, this.#message, scroller, this.#more);
    on(this.#filter, 'input', () => {
      this.#limit = PAGE;
      this.#redraw();
    });
    on(this.#more, 'click', () => {
      this.#limit += PAGE;
      this.#redraw();
    });
    show(this.node, false);
  }

  update(state: RunState): void {
    this.#state = state;
    // They are known when the data was looked at, and do not change any more.
    if (this.#isOpen && state.header.data && !this.#data.columns.length && !this.#isLoading) {
      void this.#fetch();
    }
  }

  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    if (isOpen && this.#state) {
      this.update(this.#state);
    }
  }

  async #fetch(): Promise<void> {
    this.#isLoading = true;
    show(this.node, true);
    try {
      this.#data = await this.load();
      this.#label.update(this.#data.label ?? null);
      setText(this.#message, '');
    } catch (error) {
      setText(this.#message, messageOf(error));
    }
    this.#isLoading = false;
    show(this.#message, this.#message.textContent !== '');
    this.#redraw();
  }

  #redraw(): void {
    const fits = this.#data.columns.filter(({ name, purpose, dtype, reason }) =>
      hasWords(`${name} ${purpose} ${dtype} ${reason}`, this.#filter.value)
    );
    const unused = this.#data.columns.filter(column => !column.used).length;
    const parts = [plural(fits.length, 'column'), unused ? `${count(unused)} of all not used` : ''];
    setText(this.#found, parts.filter(Boolean).join(' · '));
    show(this.node, this.#data.columns.length > 0 || this.#message.textContent !== '');
    show(this.#more, fits.length > this.#limit);
    arrange(this.#body, fits.slice(0, this.#limit).map(column => row(column, this.#data.rows)));
  }
}

function row(column: RunColumn, rows: number): HTMLTableRowElement {
  const missing = column.n_missing ? `${count(column.n_missing)} (${percent(column.n_missing, rows)})` : '';
  const number = (value: number | null | undefined): string => (typeof value === 'number' ? score(value) : '');
  const name = el('td', { title: column.dtype }, column.name);
  const cells = [
    name,
    el('td', {}, column.used ? column.purpose : 'not used'),
    ...[missing, column.n_unique === undefined ? '' : count(column.n_unique)].map(text => el('td', { class: 'nba-n' }, text)),
    ...[column.mean, column.min, column.max].map(value => el('td', { class: 'nba-n' }, number(value))),
    el('td', { class: 'nba-muted' }, [column.reason, ...column.notes].filter(Boolean).join(' '))
  ];
  const node = el('tr', {}, ...cells);
  node.classList.toggle('nba-unused', !column.used);
  return node;
}
