import type { Actions, Component } from './component';
import { el, messageOf, on, setText, show } from './dom';
import type { RunState } from './model';

const MINUTES = 5;

/** Pause, Finish now, + 5 min and Stop. Stop asks once, and says that it is stopping. */
export class Buttons implements Component {
  readonly node = el('div', { class: 'nba-buttons', role: 'group', 'aria-label': 'Run' });
  readonly #pause = el('button', {}, 'Pause');
  readonly #finish = el('button', {}, 'Finish now');
  readonly #more = el('button', {}, `+ ${MINUTES} min`);
  readonly #stop = el('button', { class: 'nba-stop' }, 'Stop');
  readonly #question = el('span', { class: 'nba-question', hidden: '' }, 'Stop this run?');
  readonly #yes = el('button', { class: 'nba-stop nba-solid' }, 'Stop run');
  readonly #no = el('button', {}, 'Keep running');
  #isAsking = false;
  #isStopping = false;
  #isFinishing = false;
  /** The state that was asked for and is not reported yet. */
  #isTurning = false;
  #status = '';

  constructor(
    private readonly actions: Actions,
    private readonly say: (message: string) => void
  ) {
    this.#finish.title = 'End the search, keep what was found, build the final model';
    this.#more.title = `Give the run ${MINUTES} more minutes`;
    this.#stop.title = 'Cancel the run';
    this.#question.append(this.#yes, this.#no);
    this.node.append(this.#pause, this.#finish, this.#more, this.#stop, this.#question);
    on(this.#pause, 'click', () => void this.#onPause());
    on(this.#finish, 'click', () => void this.#onFinish());
    on(this.#more, 'click', () => void this.#onMore());
    on(this.#stop, 'click', () => this.#ask(true));
    on(this.#no, 'click', () => this.#ask(false));
    on(this.#yes, 'click', () => void this.#onStop());
    on(this.#question, 'keydown', event => {
      if (event.key === 'Escape') {
        this.#ask(false);
      }
    });
  }

  update(state: RunState): void {
    const { is_live: isLive, status, deadline, kind = 'automl' } = state.header;
    const isSearch = kind === 'automl';
    const isStopping = this.#isStopping || status === 'CancelRequested';
    const isFinishing = this.#isFinishing || status === 'Finalizing';
    show(this.node, isLive);
    this.#updatePause(status, isSearch && !this.#isAsking && !isStopping && !isFinishing);
    show(this.#question, this.#isAsking && !isStopping);
    show(this.#stop, !this.#isAsking || isStopping);
    show(this.#more, !this.#isAsking && deadline !== null && !isStopping && !isFinishing);
    show(this.#finish, isSearch && !this.#isAsking && !isStopping);
    this.#stop.disabled = isStopping;
    this.#finish.disabled = isFinishing;
    setText(this.#stop, isStopping ? 'Stopping…' : 'Stop');
    setText(this.#finish, isFinishing ? 'Finishing…' : 'Finish now');
  }

  #updatePause(status: string, isPossible: boolean): void {
    if (status !== this.#status) {
      this.#status = status;
      this.#isTurning = false;
    }
    const isPaused = status === 'Paused';
    show(this.#pause, isPossible && (isPaused || status === 'Running'));
    setText(this.#pause, isPaused ? 'Resume' : 'Pause');
    this.#pause.title = isPaused ? 'Go on with the search' : 'Begin no more models for now; the time stands still';
    this.#pause.disabled = this.#isTurning;
  }

  /** Redraw after a click, before the next state comes. */
  #redraw: () => void = () => undefined;

  onRedraw(redraw: () => void): void {
    this.#redraw = redraw;
  }

  #ask(isAsking: boolean): void {
    this.#isAsking = isAsking;
    this.#redraw();
    (isAsking ? this.#yes : this.#stop).focus();
  }

  async #onStop(): Promise<void> {
    this.#isAsking = false;
    this.#isStopping = true;
    this.#redraw();
    this.#isStopping = await this.#attempt(() => this.actions.cancel());
    this.#redraw();
  }

  async #onPause(): Promise<void> {
    const act = this.#status === 'Paused' ? this.actions.resume : this.actions.pause;
    this.#isTurning = true;
    this.#redraw();
    this.#isTurning = await this.#attempt(act);
    this.#redraw();
  }

  async #onFinish(): Promise<void> {
    this.#isFinishing = true;
    this.#redraw();
    this.#isFinishing = await this.#attempt(() => this.actions.finishNow());
    this.#redraw();
  }

  async #onMore(): Promise<void> {
    this.#more.disabled = true;
    if (await this.#attempt(() => this.actions.addMinutes(MINUTES))) {
      this.say(`Asked for ${MINUTES} more minutes.`);
    }
    this.#more.disabled = false;
  }

  async #attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      this.say('');
      return true;
    } catch (error) {
      this.say(messageOf(error));
      return false;
    }
  }
}
