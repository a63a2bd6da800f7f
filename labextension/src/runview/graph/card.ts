import { el, messageOf, on, say, set, setText, show, statusLine } from '../dom';
import { moment, shortId } from '../format';
import type { RunSource } from '../transport';
import { LogTail } from './logtail';
import type { Step } from './types';
import { isAtWork, kindWords, runOf, stateWords, took } from './words';

/** A view that stands in another one. */
export interface Inner {
  readonly node: Element;
  dispose(): void;
}

/** What the card of a step may use. */
export interface CardHost {
  source(run: string): Pick<RunSource, 'log'>;
  /** Make the view of a run. */
  view(run: string): Promise<Inner>;
  /** Show a run in a place of its own. */
  open(run: string): void;
  name(n: number): string;
}

/** What there is to know of one step, and the whole view of its run on demand. */
export class StepCard {
  readonly node = el('section', { class: 'nba-card' });
  readonly #title = el('h4');
  readonly #inside = el('button', { 'aria-expanded': 'false' });
  readonly #apart = el('button', {}, 'Open in a tab');
  readonly #facts = el('dl', { class: 'nba-pairs' });
  readonly #reason = el('pre', { tabindex: 0, hidden: '', 'aria-label': 'Reason' });
  readonly #message = statusLine();
  readonly #place = el('div', { class: 'nba-inner' });
  #tail: LogTail | null = null;
  #inner: Inner | null = null;
  #run = '';
  #isConnected = false;
  #words = '';
  #isGone = false;

  constructor(
    private step: Step,
    private readonly host: CardHost,
    close: () => void
  ) {
    const away = el('button', { 'aria-label': 'Close the step' }, '×');
    const buttons = el('div', { class: 'nba-buttons' }, this.#inside, this.#apart, away);
    this.node.append(el('div', { class: 'nba-cardhead' }, this.#title, buttons), this.#facts, this.#reason, this.#message, this.#place);
    on(this.#inside, 'click', () => void this.#turn());
    on(this.#apart, 'click', () => host.open(this.#run));
    on(away, 'click', close);
    on(this.node, 'keydown', event => event.key === 'Escape' && !this.#inner && close());
    this.#label();
  }

  update(step: Step, now: number, isConnected: boolean): void {
    const hasMoved = step.status !== this.step.status;
    this.step = step;
    this.#isConnected = isConnected;
    const run = runOf(step);
    set(this.node, { 'aria-label': `Step ${step.name}` });
    setText(this.#title, step.name);
    this.#drawFacts(step, now);
    const reason = step.reason ?? '';
    say(this.#reason, reason.includes('\n') ? reason : '');
    show(this.#inside, run !== '' && isConnected);
    show(this.#apart, run !== '' && isConnected);
    if (run !== this.#run) {
      this.#run = run;
      this.#close();
    }
    if (isConnected && run && !this.#tail) {
      this.#tail = new LogTail(this.host.source(run));
      this.#message.after(this.#tail.node);
    } else if (hasMoved || isAtWork(step)) {
      this.#tail?.more();
    }
  }

  dispose(): void {
    this.#isGone = true;
    this.#close();
    this.node.remove();
  }

  #drawFacts(step: Step, now: number): void {
    const { reason = '', reused_from: reused, started_at: began, after = [], inputs = [], outputs = [] } = step;
    const facts: (readonly [string, string])[] = [
      ['State', stateWords(step)],
      ['Why', reason.includes('\n') ? '' : reason],
      ['Does', kindWords(step.kind)],
      ['Reused from', reused ?? ''],
      ['Run', step.run ? shortId(step.run) : ''],
      ['Began', began === undefined ? '' : moment(began)],
      ['Took', took(step, now)],
      ['Waits for', after.map(n => this.host.name(n)).join(', ')],
      ['Reads', inputs.join(', ')],
      ['Writes', outputs.join(', ')]
    ];
    const words = JSON.stringify(facts);
    if (words !== this.#words) {
      this.#words = words;
      const said = facts.filter(([, text]) => text);
      this.#facts.replaceChildren(...said.flatMap(([name, text]) => [el('dt', { class: 'nba-muted' }, name), el('dd', {}, el('bdi', {}, text))]));
    }
  }

  /** Show the view of its run here, or take it away. */
  async #turn(): Promise<void> {
    if (this.#inner) {
      this.#drop();
      return;
    }
    const run = this.#run;
    this.#inside.disabled = true;
    try {
      const inner = await this.host.view(run);
      if (this.#isGone || run !== this.#run || !this.#isConnected) {
        inner.dispose();
      } else {
        this.#inner = inner;
        this.#place.replaceChildren(inner.node);
      }
      say(this.#message, '');
    } catch (error) {
      say(this.#message, messageOf(error));
    }
    this.#inside.disabled = false;
    this.#label();
  }

  #close(): void {
    this.#tail?.dispose();
    this.#tail?.node.remove();
    this.#tail = null;
    this.#drop();
  }

  #drop(): void {
    this.#inner?.dispose();
    this.#inner = null;
    this.#place.replaceChildren();
    this.#label();
  }

  #label(): void {
    setText(this.#inside, this.#inner ? 'Hide its run' : 'Show its run');
    set(this.#inside, { 'aria-expanded': String(this.#inner !== null) });
    if (this.#tail) {
      show(this.#tail.node, !this.#inner);
    }
  }
}
