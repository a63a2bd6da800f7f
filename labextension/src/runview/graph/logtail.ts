import { el, say, statusLine } from '../dom';
import { Feed } from '../logged/feed';
import type { RunSource } from '../transport';
import type { RunLog } from '../types';

const LINES = 10;

/** The newest lines of a run's log. */
export class LogTail {
  readonly node = el('div');
  readonly #text = el('pre', { tabindex: 0, 'aria-label': 'End of the log' });
  readonly #message = statusLine();
  readonly #feed: Feed<{ log: RunLog }>;
  #lines: string[] = [];
  #seq = 0;
  #moment = 0;

  constructor(source: Pick<RunSource, 'log'>) {
    this.node.append(this.#message, this.#text);
    say(this.#text, '');
    this.#feed = new Feed(
      async () => ({ log: await source.log(this.#seq) }),
      ({ log }) => this.#take(log),
      text => say(this.#message, text)
    );
    this.#feed.setConnected(true);
    this.more();
  }

  /** There may be more of it now. */
  more(): void {
    this.#moment += 1;
    this.#feed.want(this.#moment);
  }

  dispose(): void {
    this.#feed.dispose();
  }

  #take({ seq, lines }: RunLog): void {
    this.#seq = Math.max(this.#seq, seq);
    this.#lines = [...this.#lines, ...lines.map(line => line.text)].slice(-LINES);
    say(this.#text, this.#lines.join('\n'));
    this.#text.scrollTop = this.#text.scrollHeight;
  }
}
