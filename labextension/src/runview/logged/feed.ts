import { messageOf } from '../dom';
import { Timer } from '../timer';

const LEAST_WAIT_MS = 1000;
const FAILED_WAIT_MS = 10_000;
/** A server that takes long is asked less often: this many times as long is waited. */
const PATIENCE = 4;

/** Asks for something again when a run has moved on, not too often. */
export class Feed<T extends object> {
  readonly #timer = new Timer();
  #known = -1;
  #wanted = 0;
  #isConnected = false;
  #isAsking = false;

  constructor(
    private readonly load: () => Promise<T>,
    private readonly take: (answer: T) => void,
    private readonly say: (problem: string) => void
  ) {}

  /** The run has come to this event, or to this moment. */
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
    this.#timer.stop();
  }

  #ask(): void {
    if (this.#isConnected && !this.#isAsking && !this.#timer.isSet && this.#wanted > this.#known) {
      void this.#fetch();
    }
  }

  async #fetch(): Promise<void> {
    this.#isAsking = true;
    const began = performance.now();
    let least = LEAST_WAIT_MS;
    try {
      const asked = this.#wanted;
      const answer = await this.load();
      this.#known = Math.max(this.#known, (answer as { seq?: number }).seq ?? asked);
      this.take(answer);
      this.say('');
    } catch (error) {
      this.say(messageOf(error));
      least = FAILED_WAIT_MS;
    }
    this.#isAsking = false;
    if (this.#isConnected) {
      this.#timer.start(() => this.#ask(), Math.max(least, PATIENCE * (performance.now() - began)));
    }
  }
}
