import type { DraftAnswer } from './types';

/** What a person types is checked when they pause. */
const PAUSE_MS = 300;

/** Asks about the draft after each change, but not for each letter; only the last answer counts. */
export class Checker {
  #version = 0;
  #timer = 0;
  #isDisposed = false;

  /**
   * `ask` asks the server about the draft as it is; null when there is nothing to ask yet.
   * `take` gets the answer to the latest state.
   */
  constructor(
    private readonly ask: () => Promise<DraftAnswer | null>,
    private readonly take: (answer: DraftAnswer | null) => void
  ) {}

  /** The draft has changed. */
  schedule(): void {
    this.#version += 1;
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.now(), PAUSE_MS);
  }

  /** Ask at once, and again when the draft changes meanwhile. */
  async now(): Promise<DraftAnswer | null> {
    window.clearTimeout(this.#timer);
    for (;;) {
      const asked = this.#version;
      const answer = await this.ask();
      if (this.#isDisposed) {
        return null;
      }
      if (asked === this.#version) {
        this.take(answer);
        return answer;
      }
    }
  }

  dispose(): void {
    this.#isDisposed = true;
    window.clearTimeout(this.#timer);
  }
}
