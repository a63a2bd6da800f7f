import type { Connection } from './header';
import { applyFrame, fromFull, type RunState } from './model';
import type { ServerClock } from './timing';
import type { RunListener, Subscription, Transport } from './transport';
import type { Frame, Full, RunError } from './types';

const TICK_MS = 1000;

/** A view that draws the states of a run. */
export interface Shown {
  draw(state: RunState): void;
  /** Between states, once a second, while the run goes on and is heard of. */
  tick(): void;
  setConnection(connection: Connection, problem?: string): void;
}

/** Keeps the state of one run: follows it, and has each state drawn once. */
export class Following implements RunListener {
  #state: RunState;
  #drawn: RunState | null = null;
  #subscription: Subscription | null = null;
  #ticker: number | null = null;
  #frameRequest: number | null = null;
  #isAsking = false;
  #isConnected = false;

  constructor(
    full: Full,
    private readonly transport: Transport,
    private readonly clock: ServerClock,
    private readonly shown: Shown
  ) {
    this.#state = fromFull(full);
  }

  get runId(): string {
    return this.#state.runId;
  }

  get workspace(): string {
    return this.#state.workspace;
  }

  /** Draw what is known, and follow the run. */
  start(): void {
    this.clock.sync(this.#state.header.now);
    this.#draw();
    this.#subscription = this.transport.watch(this.runId, this.workspace, this);
    this.#ticker = window.setInterval(() => this.#tick(), TICK_MS);
  }

  /** Take in a saved output of the same run, unless something newer is known; tells which. */
  offer(full: Full): boolean {
    const isNewer = full.run_id === this.#state.runId && full.seq > this.#state.seq;
    if (isNewer) {
      this.#take(fromFull(full));
    }
    return isNewer;
  }

  dispose(): void {
    this.#subscription?.dispose();
    if (this.#ticker !== null) {
      window.clearInterval(this.#ticker);
    }
    if (this.#frameRequest !== null) {
      window.cancelAnimationFrame(this.#frameRequest);
    }
  }

  lastSeq(): number {
    return this.#hasPartialRows() ? 0 : this.#state.seq;
  }

  onFull(full: Full): void {
    this.#hear();
    this.#isAsking = false;
    if (full.seq >= this.#state.seq) {
      this.#take(fromFull(full));
    }
  }

  onFrame(frame: Frame): void {
    this.#hear();
    const [next, outcome] = applyFrame(this.#state, frame);
    if (outcome === 'applied') {
      this.#take(next);
    } else if (outcome === 'gap' && !this.#isAsking) {
      this.#isAsking = true;
      this.#subscription?.askAgain();
    }
  }

  onError(error: RunError): void {
    this.#isConnected = false;
    this.shown.setConnection('lost', [error.message, error.hint].filter(Boolean).join(' '));
  }

  onConnection(isConnected: boolean): void {
    this.#isAsking = false;
    if (!isConnected) {
      this.#isConnected = false;
      this.shown.setConnection('lost');
    }
  }

  /** Only an answer about this run tells that it can be followed and asked. */
  #hear(): void {
    if (!this.#isConnected) {
      this.#isConnected = true;
      this.shown.setConnection('connected');
    }
  }

  #hasPartialRows(): boolean {
    for (const trial of this.#state.trials.values()) {
      if (trial.partial) {
        return true;
      }
    }
    return false;
  }

  #take(state: RunState): void {
    this.#state = state;
    this.clock.sync(state.header.now);
    // The server sends at most five states a second; this also joins those of one frame.
    this.#frameRequest ??= window.requestAnimationFrame(() => {
      this.#frameRequest = null;
      this.#draw();
    });
  }

  #draw(): void {
    if (this.#drawn !== this.#state) {
      this.#drawn = this.#state;
      this.shown.draw(this.#state);
    }
  }

  /** Times stand still in a snapshot: what happened since is not known. */
  #tick(): void {
    if (this.#isConnected && this.#state.header.is_live) {
      this.shown.tick();
    }
  }
}
