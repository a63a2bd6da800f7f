import { messageOf } from '../dom';
import type { Logged } from './types';

const LEAST_WAIT_MS = 1000;
const FAILED_WAIT_MS = 10_000;
/** A server that takes long is asked less often: this many times as long is waited. */
const PATIENCE = 4;

/** Asks for what was logged when something has happened, not too often. */
export class Feed {
  #known = -1;
  #wanted = 0;
  #isConnected = false;
  #isAsking = false;
  #timer: number | null = null;

  constructor(
    private readonly load: () => Promise<Logged>,
    private readonly take: (logged: Logged) => void,
    private readonly say: (problem: string) => void
  ) {}

  /** The run has come to this event. */
  want(seq: number): void {
    this.#wanted = Math.max(this.#wanted, seq);
    this.#ask();
  }

  setConnected(isConnected: boolean): void {
    this.#isConnected = isConnected;
    this.#ask();
  }

  dispose(): void {
    this.#isConnected = false;
    if (this.#timer !== null) {
      window.clearTimeout(this.#timer);
    }
  }

  #ask(): void {
    if (this.#isConnected && !this.#isAsking && this.#timer === null && this.#wanted > this.#known) {
      void this.#fetch();
    }
  }

  async #fetch(): Promise<void> {
    this.#isAsking = true;
    const began = performance.now();
    let least = LEAST_WAIT_MS;
    try {
      const logged = await this.load();
      this.#known = Math.max(this.#known, logged.seq);
      this.take(logged);
      this.say('');
    } catch (error) {
      this.say(messageOf(error));
      least = FAILED_WAIT_MS;
    }
    this.#isAsking = false;
    if (this.#isConnected) {
      const wait = Math.max(least, PATIENCE * (performance.now() - began));
      this.#timer = window.setTimeout(() => {
        this.#timer = null;
        this.#ask();
      }, wait);
    }
  }
}
