import type { Component } from './component';
import { el, messageOf, on, say, searchBox, set, statusLine } from './dom';
import { moment } from './format';
import type { RunState } from './model';
import { Timer } from './timer';
import type { RunLog } from './types';

/** The log is asked for at most this often while it is followed. */
const INTERVAL_MS = 1000;
/** Lines in the page; the file has them all. */
const MOST_LINES = 2000;
const NEAR_END_PX = 24;

/** What happened, line by line; follows the run as long as its end is in sight. */
export class Logs implements Component {
  readonly node = el('section', { class: 'nba-logs' });
  readonly #filter = searchBox('Filter lines');
  readonly #problems = el('input', { type: 'checkbox' });
  readonly #save = el('button', { title: 'Save the log as text' }, 'Save');
  readonly #list = el('div', { class: 'nba-log', role: 'log', tabindex: 0, 'aria-label': 'Log' });
  readonly #message = statusLine();
  readonly #timer = new Timer();
  #lines: RunLog['lines'] = [];
  #state: RunState | null = null;
  #seq = 0;
  #isOpen = false;
  #isLoading = false;

  constructor(
    private readonly load: (after: number) => Promise<RunLog>,
    saved: RunLog['lines'] = []
  ) {
    const only = el('label', {}, this.#problems, ' Only problems');
    this.node.append(el('div', { class: 'nba-tools' }, this.#filter, only, this.#save), this.#message, this.#list);
    on(this.#filter, 'input', () => this.#redraw());
    on(this.#problems, 'change', () => this.#redraw());
    on(this.#save, 'click', () => this.#offer());
    this.#lines = saved;
    this.#append(saved);
  }

  update(state: RunState): void {
    this.#state = state;
    if (this.#isOpen && state.seq > this.#seq) {
      this.#ask();
    }
  }

  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    if (isOpen && this.#state) {
      this.update(this.#state);
    }
  }

  dispose(): void {
    this.#isOpen = false;
    this.#timer.stop();
  }

  /** Ask for what is new, now or when the last question is long enough ago. */
  #ask(): void {
    if (this.#isLoading || this.#timer.isSet) {
      return;
    }
    this.#timer.start(() => {
      if (this.#isOpen && this.#state && this.#state.seq > this.#seq) {
        this.#ask();
      }
    }, INTERVAL_MS);
    void this.#fetch();
  }

  async #fetch(): Promise<void> {
    this.#isLoading = true;
    try {
      const { seq, lines } = await this.load(this.#seq);
      if (!this.#seq) {
        this.#list.replaceChildren(); // what was saved is the end of what comes now
        this.#lines = [];
      }
      this.#seq = Math.max(this.#seq, seq);
      this.#lines = [...this.#lines, ...lines];
      this.#say('');
      this.#append(lines);
    } catch (error) {
      this.#say(messageOf(error));
    } finally {
      this.#isLoading = false;
    }
  }

  #say(text: string): void {
    say(this.#message, text);
  }

  #redraw(): void {
    this.#list.replaceChildren();
    this.#append(this.#lines);
  }

  #append(lines: RunLog['lines']): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    this.#list.append(...lines.filter(line => this.#isWanted(line)).slice(-MOST_LINES).map(draw));
    while (this.#list.childElementCount > MOST_LINES) {
      this.#list.firstElementChild?.remove();
    }
    if (isAtEnd) {
      this.#list.scrollTop = this.#list.scrollHeight;
    }
  }

  #isWanted({ level, text }: RunLog['lines'][number]): boolean {
    const isProblem = level !== 'INFO' && level !== 'DEBUG';
    return (isProblem || !this.#problems.checked) && text.toLowerCase().includes(this.#filter.value.toLowerCase());
  }

  #offer(): void {
    const text = this.#lines.map(line => `${new Date(line.time * 1000).toISOString()} ${line.level} ${line.text}\n`);
    const url = URL.createObjectURL(new Blob(text, { type: 'text/plain' }));
    const link = el('a', { href: url, download: `${this.#state?.runId ?? 'run'}.log` });
    link.click();
    URL.revokeObjectURL(url);
  }
}

function draw(line: RunLog['lines'][number]): HTMLElement {
  const time = el('time', { datetime: new Date(line.time * 1000).toISOString() }, moment(line.time));
  const text = el('span', {}, line.text);
  const node = el('div', {}, time, text);
  set(node, { 'data-level': line.level });
  return node;
}
