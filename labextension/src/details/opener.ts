import type { Doings } from '../panel/item';
import { Notice } from '../panel/notice';
import { messageOf } from '../runview/dom';

/** Opens other things from a view, and says in the view what went wrong. */
export class Opener {
  readonly #notice = new Notice();
  readonly node = this.#notice.node;

  constructor(private readonly doings: Doings) {}

  open(command: string, args: Readonly<Record<string, string | number>>): void {
    void this.attempt(() => this.doings.run(command, args));
  }

  /** Do something; returns whether it was done. */
  async attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#notice.say('');
      return true;
    } catch (error) {
      this.#notice.say(messageOf(error), 'error');
      return false;
    }
  }
}
