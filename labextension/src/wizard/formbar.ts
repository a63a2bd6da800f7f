import { el, messageOf, on, say } from '../runview/dom';

/** The line that stays in sight: Insert, Run, and how that went. */
export class FormBar {
  readonly node = el('div', { class: 'nba-formbar' });
  readonly #insert = el('button', { class: 'nba-primary' }, 'Insert into notebook');
  readonly #run = el('button', {}, 'Run now');
  readonly #status = el('p', { class: 'nba-status-line', role: 'status' });

  constructor(insert: () => Promise<void>, run: () => Promise<void>) {
    this.node.append(this.#insert, this.#run, this.#status);
    on(this.#insert, 'click', () => void this.#during(insert));
    on(this.#run, 'click', () => void this.#during(run));
  }

  say(text: string): void {
    say(this.#status, text);
  }

  setBusy(isBusy: boolean): void {
    this.#insert.disabled = isBusy;
    this.#run.disabled = isBusy;
  }

  /** Nothing else is begun until the work has ended; what goes wrong is said here. */
  async #during(work: () => Promise<void>): Promise<void> {
    this.setBusy(true);
    try {
      await work();
    } catch (error) {
      this.say(messageOf(error));
    }
    this.setBusy(false);
  }
}
