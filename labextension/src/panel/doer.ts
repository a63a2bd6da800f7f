import { messageOf } from '../runview/dom';
import { Ask } from './ask';
import type { Action, Doings } from './item';
import { Notice } from './notice';

/** Does actions at one place: asks what must be asked, says there what came of it. */
export class Doer {
  readonly ask: Ask;
  readonly notice = new Notice();
  #isBusy = false;

  constructor(
    private readonly doings: () => Doings,
    private readonly changed: () => void,
    giveBack: () => void
  ) {
    this.ask = new Ask(giveBack);
  }

  start(action: Action): void {
    if (this.#isBusy) {
      return;
    }
    if (action.confirm || action.fields) {
      this.notice.say('');
      this.#ask(action);
    } else {
      void this.#perform(action, {});
    }
  }

  #ask(action: Action, typed: Readonly<Record<string, string>> = {}, problem = ''): boolean {
    return this.ask.open(action, values => void this.#perform(action, values), typed, problem);
  }

  async #perform(action: Action, values: Readonly<Record<string, string>>): Promise<void> {
    this.#isBusy = true;
    this.notice.say('Working…', 'busy');
    try {
      this.notice.say(await action.run(this.doings(), values));
    } catch (error) {
      // What was typed is not lost; what is wrong with it is said there.
      const isSaid = action.fields && this.#ask(action, values, messageOf(error));
      this.notice.say(isSaid ? '' : messageOf(error), 'error');
    }
    this.#isBusy = false;
    if (action.changes) {
      this.changed(); // after an error, too: the lists may have been behind
    }
  }
}
