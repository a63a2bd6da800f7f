import { el, freshId, messageOf, onSend, setText, show } from '../runview/dom';
import type { DeploymentSource, TryReply } from './types';

const MS = 1000;

/** A request to change and send, and what came back. */
export class TryForm {
  readonly node = el('form', { class: 'nba-try' });
  readonly #input = el('textarea', { id: freshId('try'), rows: 6, spellcheck: 'false' });
  readonly #probabilities = el('input', { type: 'checkbox', id: freshId('proba') });
  readonly #send = el('button', { type: 'submit' }, 'Send');
  readonly #message = el('span', { role: 'status' });
  readonly #reply = el('pre', { tabindex: 0, hidden: '', 'aria-label': 'Reply' });
  #offered = '';

  constructor(private readonly source: DeploymentSource) {
    const label = el('label', { for: this.#input.id, class: 'nba-label' }, 'Try it: a list of rows');
    const check = el('label', { for: this.#probabilities.id }, this.#probabilities, ' with probabilities');
    const line = el('div', { class: 'nba-tryline' }, this.#send, check, this.#message);
    this.node.append(label, this.#input, line, this.#reply);
    onSend(this.node, () => this.#ask());
  }

  /** Put a sample row into the form, unless somebody has written another one. */
  offer(sample: Record<string, unknown> | null): void {
    const text = JSON.stringify([sample ?? {}], null, 2);
    if (this.#input.value === this.#offered) {
      this.#input.value = this.#offered = text;
    }
  }

  enable(isEnabled: boolean): void {
    this.#send.disabled = !isEnabled;
  }

  async #ask(): Promise<void> {
    let body: unknown;
    try {
      body = JSON.parse(this.#input.value);
    } catch (error) {
      this.#say(`That is not JSON: ${messageOf(error)}`);
      this.#input.focus();
      return;
    }
    this.#say('Sending…');
    try {
      this.#draw(await this.source.send(body, this.#probabilities.checked));
    } catch (error) {
      show(this.#reply, false);
      this.#say(messageOf(error));
    }
  }

  #draw({ status, reply, seconds }: TryReply): void {
    this.#say(`${status === 200 ? 'Answered' : `Refused (${status})`} in ${Math.round(seconds * MS)} ms.`);
    setText(this.#reply, JSON.stringify(reply, null, 2));
    show(this.#reply, true);
  }

  #say(text: string): void {
    setText(this.#message, text);
  }
}
