import { arrange, el, on, say, searchBox, set, setText, show, statusLine } from '../dom';
import { count, duration, moment, plural, score, statusWords } from '../format';
import { HeadRow, type Head, type SortedBy } from '../headrow';
import { compareKeys, hasWords, type Key } from '../ranking';
import { Feed } from './feed';
import type { ChildRun, ChildRuns } from './types';
import type { ChildPart } from './view';

/** Rows in the page at a time. */
const PAGE = 100;
/** Of so many times, one counts while the list is not looked at: then only its length is shown. */
const UNSEEN = 5;
const TYPES: Readonly<Record<string, string>> = { interactive: 'by hand', 'azureml.scriptrun': 'script', 'azureml.StepRun': 'step', automl: 'AutoML' };

/** A column by its place among these, or a metric by what is added to it. */
const HEADS: readonly Head<number>[] = [
  { column: 0, label: '#', isNumber: true },
  { column: 1, label: 'Run' },
  { column: 2, label: 'Type' },
  { column: 3, label: 'State' },
  { column: 4, label: 'Started' },
  { column: 5, label: 'Duration', isNumber: true }
];

/** The runs below a run, with the last values that each logged: sortable, with a filter; one opens. */
export class Children implements ChildPart {
  readonly node = el('section');
  readonly #filter = searchBox('Filter runs');
  readonly #found = el('span', { class: 'nba-muted' });
  readonly #message = statusLine();
  readonly #headNode = el('thead');
  readonly #body = el('tbody');
  readonly #more = el('button', {}, 'Show more');
  readonly #feed: Feed<ChildRuns>;
  readonly #rows = new Map<string, { node: HTMLElement; words: string }>();
  #known: ChildRuns = { n: 0, metrics: [], rows: [] };
  #head: HeadRow<number> | null = null;
  #metrics = '';
  #order: SortedBy<number> = { column: 0, isDescending: true };
  #limit = PAGE;
  #isOpen = false;
  #moment = 0;

  constructor(
    load: () => Promise<ChildRuns>,
    private readonly now: () => number,
    private readonly onCount: (n: number) => void,
    private readonly open: (run: string) => void
  ) {
    this.#feed = new Feed(load, children => this.take(children), text => say(this.#message, text));
    const table = el('table', { class: 'nba-table nba-sortable nba-children', 'aria-label': 'Child runs' }, this.#headNode, this.#body);
    const scroller = el('div', { class: 'nba-scroller', tabindex: 0, role: 'region', 'aria-label': 'Child runs' }, table);
    this.node.append(el('div', { class: 'nba-tools' }, this.#filter, this.#found), this.#message, scroller, this.#more);
    on(this.#filter, 'input', () => this.#draw());
    on(this.#more, 'click', () => {
      this.#limit += PAGE;
      this.#draw();
    });
    on(this.#body, 'click', event => {
      const row = event.target instanceof Element ? event.target.closest<HTMLElement>('tr') : null;
      if (row?.dataset.id) {
        this.open(row.dataset.id);
      }
    });
    this.#draw();
  }

  take(children: ChildRuns): void {
    this.#known = children;
    this.onCount(children.n);
    this.#draw();
  }

  /** The children have logs of their own: whether they moved is only known by asking, less often while nobody looks. */
  tick(): void {
    this.#moment += 1;
    if (this.#isOpen || this.#moment % UNSEEN === 1) {
      this.#feed.want(this.#moment);
    }
  }

  setConnected(isConnected: boolean): void {
    this.#feed.setConnected(isConnected);
  }

  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    this.#draw();
  }

  dispose(): void {
    this.#feed.dispose();
  }

  #draw(): void {
    if (!this.#isOpen) {
      return;
    }
    const { n, rows } = this.#known;
    this.#drawHead();
    const { column, isDescending } = this.#order;
    const fits = rows.filter(row => hasWords(`${row.name} ${row.id} ${row.status} ${typeOf(row)}`, this.#filter.value));
    fits.sort((a, b) => compareKeys(this.#key(a, column), this.#key(b, column), isDescending) || (b.number ?? 0) - (a.number ?? 0));
    const among = n > fits.length ? `${count(fits.length)} of ` : '';
    setText(this.#found, among + plural(n, 'child run'));
    show(this.#more, fits.length > this.#limit);
    arrange(this.#body, fits.slice(0, this.#limit).map(row => this.#row(row)));
  }

  /** The head is made anew when there are other metrics. */
  #drawHead(): void {
    const { metrics } = this.#known;
    const words = JSON.stringify(metrics);
    if (!this.#head || words !== this.#metrics) {
      this.#metrics = words;
      const more = metrics.map((label, i) => ({ column: HEADS.length + i, label, isNumber: true }));
      this.#head = new HeadRow([...HEADS, ...more], column => this.#sortBy(column));
      this.#headNode.replaceChildren(this.#head.node);
    }
    this.#head.update(this.#order);
  }

  #sortBy(column: number): void {
    const isSame = column === this.#order.column;
    this.#order = { column, isDescending: isSame ? !this.#order.isDescending : column === 0 };
    this.#draw();
  }

  #key(row: ChildRun, column: number): Key {
    const keys = [row.number, row.name.toLowerCase(), typeOf(row), row.status, row.started_at, this.#seconds(row), ...row.values];
    return keys[column] ?? null;
  }

  #seconds({ started_at: began, ended_at: ended, is_live: isLive }: ChildRun): number | null {
    const end = ended ?? (isLive ? this.now() : null);
    return began === null || end === null ? null : Math.max(0, end - began);
  }

  /** A row that says the same stays: a text in it may be selected. */
  #row(row: ChildRun): HTMLElement {
    const seconds = this.#seconds(row);
    const took = row.is_live && seconds !== null ? duration(Math.round(seconds)).replace('.0', '') : duration(seconds);
    const began = row.started_at === null ? '' : moment(row.started_at);
    const texts = [typeOf(row), statusWords(row.status), began, took, ...row.values.map(score)];
    const words = JSON.stringify([row, texts]);
    const known = this.#rows.get(row.id);
    if (known?.words === words) {
      return known.node;
    }
    const name = el('button', { class: 'nba-link' }, row.name);
    const cells = texts.map((text, i) => el('td', { class: i > 2 ? 'nba-n' : '' }, text));
    const made = [el('td', { class: 'nba-n' }, String(row.number ?? '')), el('td', {}, el('bdi', {}, name)), ...cells];
    const node = known?.node ?? el('tr', { 'data-id': row.id, title: `${row.name} · ${row.id}` });
    set(node, { 'data-status': row.status });
    if (known) {
      // The button keeps the focus that it has.
      made.forEach((cell, i) => i !== 1 && node.children[i]?.replaceWith(cell));
    } else {
      node.append(...made);
    }
    this.#rows.set(row.id, { node, words });
    return node;
  }
}

function typeOf({ type }: ChildRun): string {
  return TYPES[type] ?? type;
}
