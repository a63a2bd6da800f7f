import { el, messageOf, on, say, show } from '../runview/dom';
import { count } from '../runview/format';
import { ColumnTable } from './columns';
import { number } from './histogram';
import { own, table } from './table';
import type { Cell, DatasetContent } from './types';

const CELL_DIGITS = 10;

/** What is in a dataset: two pages, columns and first rows, read when one is looked at. */
export class Content {
  readonly columns = el('div');
  readonly rows = el('div');
  readonly #statistics = new ColumnTable();
  readonly #pages: readonly Page[];
  readonly #seen = new Set<string>();
  #id = '';

  constructor(private readonly load: (id: string) => Promise<DatasetContent>) {
    const again = (): void => void this.#read();
    this.#pages = [new Page(this.columns, again), new Page(this.rows, again)];
  }

  /** Show another version; it is read at once. */
  update(id: string): void {
    if (id !== this.#id) {
      this.#id = id;
      void this.#read();
    }
  }

  async #read(): Promise<void> {
    const id = this.#id;
    this.#pages.forEach(page => page.say(this.#seen.has(id) ? '' : 'Reading the data…', false));
    try {
      const content = await this.load(id);
      if (id === this.#id) {
        this.#seen.add(id);
        this.#statistics.update(content);
        this.#pages[0]?.fill(this.#statistics.node);
        this.#pages[1]?.fill(firstRows(content));
      }
    } catch (error) {
      if (id === this.#id) {
        this.#pages.forEach(page => page.say(messageOf(error), true));
      }
    }
  }
}

/** A page that says what it waits for, or why there is nothing, with a way to try again. */
class Page {
  readonly #message = el('p', { role: 'status' });
  readonly #again = el('button', {}, 'Try again');
  readonly #content = el('div');

  constructor(node: HTMLElement, onAgain: () => void) {
    node.append(this.#message, this.#again, this.#content);
    on(this.#again, 'click', onAgain);
  }

  say(text: string, isError: boolean): void {
    say(this.#message, text);
    this.#message.className = isError ? 'nba-error' : 'nba-muted';
    show(this.#again, isError);
    show(this.#content, !isError);
    if (!isError) {
      this.#content.replaceChildren();
    }
  }

  fill(content: Element): void {
    this.say('', false);
    this.#content.replaceChildren(content);
  }
}

function firstRows({ head }: DatasetContent): HTMLElement {
  const isNumber = head.columns.map((_, i) => head.rows.every(row => row[i] === null || typeof row[i] === 'number'));
  const columns = head.columns.map((name, i) => ({ label: name, isNumber: isNumber[i] === true }));
  const rows = head.rows.map((row, i) => [el('span', { class: 'nba-muted' }, count(i + 1)), ...row.map(cell)]);
  return table('First rows', [{ label: '', isNumber: true }, ...columns], rows);
}

function cell(value: Cell): Node {
  if (value === null) {
    return el('span', { class: 'nba-muted' }, 'missing');
  }
  return typeof value === 'number' ? el('span', {}, number(value, CELL_DIGITS)) : own(String(value));
}
