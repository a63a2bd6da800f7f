import type { Component } from '../component';
import { el, messageOf, on, setText, show } from '../dom';
import type { RunState } from '../model';
import { ModelChoice } from '../modelchoice';
import { Tabs } from '../tabs';
import { Timer } from '../timer';
import { Importance } from './importance';
import { RowView } from './rowview';
import { summary } from './words';
import type { ExplanationPage, ExplanationPart } from './part';
import type { ExplanationAnswer, ExplanationSource } from './types';

/** How often the server is asked while an explanation is being made. */
const LOOK_MS = 1500;
const UNDER_WAY = new Set(['waiting', 'running']);

const INTRO: Readonly<Record<string, string>> = {
  none: 'This model is not explained yet. That takes about half a minute, in a process of its own.',
  waiting: 'The explanation is waiting to begin.',
  running: 'The model is being explained.',
  failed: 'The explanation failed.',
  canceled: 'The explanation was canceled.'
};

/** Why one model answers as it does: the best one, or the one that is chosen. */
export class ExplanationTab implements Component {
  readonly node = el('section', { class: 'nba-explanation' });
  readonly #models = new ModelChoice(n => this.select(n));
  readonly #ask = el('button', { hidden: '' }, 'Explain this model');
  readonly #message = el('p', { class: 'nba-muted', role: 'status' });
  readonly #summary = el('p', { class: 'nba-muted' });
  readonly #parts: readonly ExplanationPart[];
  readonly #pages: Tabs;
  readonly #timer = new Timer();
  #state: RunState | null = null;
  #isOpen = false;
  #shown: { n: number; answer: ExplanationAnswer | null } | null = null;

  constructor(
    private readonly source: ExplanationSource,
    more: readonly ExplanationPage[] = []
  ) {
    const rows = new RowView((row, changes) => source.whatIf(this.#shown?.n ?? 0, row, changes));
    const pages: readonly ExplanationPage[] = [{ label: 'Importance', part: new Importance() }, { label: 'Rows', part: rows }, ...more];
    this.#parts = pages.map(({ part }) => part);
    this.#pages = new Tabs(
      pages.map(({ label, part }) => ({ label, panel: part.node, setOpen: isOpen => part.setOpen?.(isOpen) }))
    );
    this.#pages.node.classList.add('nba-subtabs');
    const tools = el('div', { class: 'nba-tools' }, this.#models.node, this.#ask);
    this.node.append(tools, this.#message, this.#summary, this.#pages.node);
    on(this.#ask, 'click', () => void this.#explain());
    this.#draw(null);
  }

  update(state: RunState): void {
    if (this.#state?.header.is_live && !state.header.is_live) {
      this.#shown = null; // the best model is explained from now on
    }
    this.#state = state;
    if (this.#isOpen) {
      this.#models.update(state);
      void this.#load(false);
    }
  }

  /** Nothing is fetched or drawn while nobody looks. */
  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    this.#timer.stop();
    if (isOpen && this.#state) {
      this.update(this.#state);
      this.#follow();
    }
  }

  /** Show a model's explanation; null is the best one again. */
  select(n: number | null): void {
    this.#models.chosen = n;
    if (this.#isOpen && this.#state) {
      this.update(this.#state);
    }
  }

  dispose(): void {
    this.#timer.stop();
    this.#isOpen = false;
    this.#parts.forEach(part => part.dispose?.());
  }

  async #load(isAgain: boolean): Promise<void> {
    const trial = this.#models.trial(this.#state);
    if (trial?.status !== 'Completed') {
      this.#shown = null;
      this.#draw(null);
      setText(this.#message, 'No model is finished yet.');
      return;
    }
    if (!isAgain && this.#shown?.n === trial.n) {
      return;
    }
    await this.#take(trial.n, isAgain, () => this.source.explanation(trial.n));
  }

  async #explain(): Promise<void> {
    const trial = this.#models.trial(this.#state);
    if (trial) {
      this.#ask.disabled = true;
      await this.#take(trial.n, true, () => this.source.explain(trial.n));
      this.#ask.disabled = false;
    }
  }

  async #take(n: number, isAgain: boolean, get: () => Promise<ExplanationAnswer>): Promise<void> {
    const asked = { n, answer: isAgain ? (this.#shown?.answer ?? null) : null };
    this.#shown = asked;
    if (!isAgain) {
      setText(this.#message, 'Loading…');
    }
    try {
      const answer = await get();
      if (this.#shown === asked) {
        asked.answer = answer;
        this.#draw(answer);
        this.#follow();
      }
    } catch (error) {
      if (this.#shown === asked) {
        this.#shown = null;
        this.#draw(null);
        setText(this.#message, messageOf(error));
      }
    }
  }

  #draw(answer: ExplanationAnswer | null): void {
    const explanation = answer?.explanation ?? null;
    const isUnderWay = UNDER_WAY.has(answer?.state ?? '');
    const words = answer ? [INTRO[answer.state] ?? '', answer.state === 'done' ? '' : answer.text] : [];
    setText(this.#message, words.filter(Boolean).join(' '));
    show(this.#ask, answer !== null && !isUnderWay);
    setText(this.#ask, explanation ? 'Explain again' : 'Explain this model');
    show(this.#summary, explanation !== null);
    show(this.#pages.node, explanation !== null);
    if (explanation) {
      setText(this.#summary, summary(explanation));
      this.#parts.forEach(part => part.show(explanation));
    }
  }

  /** Ask again in a while, as long as an explanation is being made and somebody looks. */
  #follow(): void {
    this.#timer.stop();
    if (this.#isOpen && UNDER_WAY.has(this.#shown?.answer?.state ?? '')) {
      this.#timer.start(() => this.#load(true), LOOK_MS);
    }
  }
}
