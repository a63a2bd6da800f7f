import { scoresOf } from './chartdata';
import type { Colors } from './colors';
import type { Component } from './component';
import { DetailsRow, type DetailsSource } from './details';
import { arrange, el, offer, on, searchBox, set, setText, show } from './dom';
import type { RunExtras } from './extras';
import { count } from './format';
import { HeadRow, type Head } from './headrow';
import type { RunState } from './model';
import { matches, metricOrder, nextOrder, rank, type Column, type Order } from './ranking';
import { Row } from './row';
import { scoreRange } from './scale';
import { Scoreboard } from './scoreboard';
import type { Scores, Trial } from './types';

/** Most rows in the page at a time. */
export const PAGE_ROWS = 100;

const HEADS: readonly Head<Column>[] = [
  { column: 'n', label: '#', isNumber: true },
  { column: 'name', label: 'Pipeline' },
  { column: 'score', label: 'Score', isNumber: true },
  { column: 'seconds', label: 'Duration', isNumber: true },
  { column: 'status', label: 'State' }
];

export interface BoardSource extends DetailsSource {
  /** Address of all rows as a file. */
  leaderboard(): string;
  scores(metric: string): Promise<Scores>;
}

/** All trials, best first: sortable, with a filter; the chosen one opens below its row. */
export class Leaderboard implements Component {
  readonly node = el('div', { class: 'nba-board' });
  readonly #filter = searchBox('Filter models');
  readonly #found = el('span', { class: 'nba-muted nba-found' });
  readonly #back = el('button', {}, 'Previous');
  readonly #forth = el('button', {}, 'Next');
  readonly #pager = el('span', { class: 'nba-pager', hidden: '' }, this.#back, this.#forth);
  readonly #tools = el('div', { class: 'nba-tools' });
  readonly #scores: Scoreboard;
  readonly #csv = el('a', { class: 'nba-button', download: '', title: 'Save all rows with their metrics' }, 'CSV');
  readonly #head: HeadRow<Column>;
  readonly #body = el('tbody', { 'data-lm-suppress-shortcuts': 'true' });
  readonly #table = el('table', { role: 'treegrid', class: 'nba-table nba-sortable nba-trials', 'aria-label': 'Models' });
  readonly #scroller = el('div', { class: 'nba-scroller' });
  readonly #rows = new Map<number, Row>();
  readonly #details: DetailsRow;
  #order: Order | null = null;
  #page = 0;
  #selected: number | null = null;
  #sorted: Trial[] = [];
  #state: RunState | null = null;

  constructor(
    private readonly colors: Colors,
    private readonly onSelect: (n: number | null) => void,
    source: BoardSource,
    extras: RunExtras
  ) {
    this.#details = new DetailsRow(source, () => this.#state?.header.title || 'model', () => this.#sorted, extras);
    this.#scores = new Scoreboard(metric => source.scores(metric), () => this.#redraw());
    this.#tools.prepend(this.#scores.node);
    offer(this.#csv, source.leaderboard());
    this.#head = new HeadRow(HEADS, column => this.#sortBy(column));
    this.#table.append(el('thead', {}, this.#head.node), this.#body);
    this.#scroller.append(this.#table);
    this.#tools.append(this.#filter, this.#found, this.#csv, this.#pager);
    this.node.append(this.#tools, this.#scroller);
    on(this.#filter, 'input', () => this.#turn(0));
    on(this.#back, 'click', () => this.#turn(this.#page - 1));
    on(this.#forth, 'click', () => this.#turn(this.#page + 1));
    on(this.#body, 'click', event => this.#onClick(event.target));
    on(this.#body, 'keydown', event => this.#onKey(event));
  }

  update(state: RunState): void {
    this.#state = state;
    const { best } = state.header;
    const all = this.#scores.apply(state);
    const maximize = this.#maximize();
    const order = this.#order ?? metricOrder(maximize);
    this.#head.update(order, new Map([['score', this.#scores.name || 'Score']]));
    this.#sorted = rank(all.filter(trial => matches(trial, this.#filter.value)), order);
    const pages = Math.max(1, Math.ceil(this.#sorted.length / PAGE_ROWS));
    this.#page = Math.min(this.#page, pages - 1);
    this.#updateTools(all.length, pages);
    const range = scoreRange(scoresOf(all), maximize);
    const shown = this.#sorted.slice(this.#page * PAGE_ROWS, (this.#page + 1) * PAGE_ROWS);
    const nodes: Element[] = [];
    for (const trial of shown) {
      const isSelected = trial.n === this.#selected;
      const row = this.#row(trial.n);
      row.update(trial, { isBest: trial.n === best?.n, isSelected, maximize, range });
      nodes.push(row.node);
      if (isSelected) {
        nodes.push(this.#details.node);
        void this.#details.update(trial);
      }
    }
    arrange(this.#body, nodes);
    this.#keepOneTabStop();
  }

  /** Open a trial's details, or close them with null; `reveal` scrolls the table to its row. */
  select(n: number | null, reveal = false): void {
    this.#selected = n;
    if (n === null) {
      this.#details.clear();
    } else if (reveal) {
      this.#turnTo(n);
    }
    this.#redraw();
    if (n !== null && reveal) {
      const row = this.#rows.get(n)?.node;
      if (row) {
        this.#scroller.scrollTop = row.offsetTop - this.#scroller.clientHeight / 3;
      }
    }
  }

  setFilter(text: string): void {
    this.#filter.value = this.#filter.value === text ? '' : text;
    this.#turn(0);
  }

  dispose(): void {
    this.#scores.dispose();
  }

  /** Whether more of the metric that is shown is better. */
  #maximize(): boolean {
    return this.#scores.maximize ?? this.#state?.header.metric?.maximize ?? true;
  }

  #turnTo(n: number): void {
    if (!this.#sorted.some(trial => trial.n === n)) {
      this.#filter.value = '';
      this.#redraw();
    }
    this.#page = Math.max(0, Math.floor(this.#sorted.findIndex(trial => trial.n === n) / PAGE_ROWS));
  }

  #sortBy(column: Column): void {
    const maximize = this.#maximize();
    this.#order = nextOrder(this.#order ?? metricOrder(maximize), column, maximize);
    this.#turn(0);
  }

  #turn(page: number): void {
    this.#page = Math.max(0, page);
    this.#scroller.scrollTop = 0;
    this.#redraw();
  }

  #redraw(): void {
    if (this.#state) {
      this.update(this.#state);
    }
  }

  #row(n: number): Row {
    let row = this.#rows.get(n);
    if (!row) {
      row = new Row(this.colors);
      this.#rows.set(n, row);
    }
    return row;
  }

  #updateTools(total: number, pages: number): void {
    const n = this.#sorted.length;
    const first = this.#page * PAGE_ROWS;
    const part = pages > 1 ? `${count(first + 1)} to ${count(Math.min(n, first + PAGE_ROWS))} of ` : '';
    const among = n < total ? ` of ${count(total)}` : '';
    setText(this.#found, total === 0 ? 'No model yet' : `${part}${count(n)}${among} models`);
    show(this.#pager, pages > 1);
    this.#back.disabled = this.#page === 0;
    this.#forth.disabled = this.#page >= pages - 1;
  }

  /** Tab reaches the table once; arrows move inside it. */
  #keepOneTabStop(): void {
    const rows = this.#rowNodes();
    const stop = rows.find(row => row === document.activeElement) ?? rows[0];
    rows.forEach(row => set(row, { tabindex: row === stop ? 0 : -1 }));
  }

  #rowNodes(): HTMLElement[] {
    return [...this.#body.querySelectorAll<HTMLElement>('tr[data-n]')];
  }

  #onClick(target: EventTarget | null): void {
    const row = target instanceof Element ? target.closest('tr[data-n]') : null;
    if (row) {
      const n = Number(row.getAttribute('data-n'));
      this.onSelect(n === this.#selected ? null : n);
    }
  }

  #onKey(event: KeyboardEvent): void {
    const rows = this.#rowNodes();
    const at = rows.indexOf(event.target as HTMLElement);
    if (at < 0) {
      return;
    }
    const goal: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    const next = rows[goal[event.key] ?? -1];
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.#onClick(event.target);
    } else if (next) {
      event.preventDefault();
      next.focus();
      this.#keepOneTabStop();
    }
  }
}
