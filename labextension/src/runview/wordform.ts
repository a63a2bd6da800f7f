import { el, freshId, messageOf, on, onSend, setText, show } from './dom';

/** A button that opens a small form: it asks for a few words, and says what came of them. */
export class WordForm {
  readonly open: HTMLButtonElement;
  readonly node = el('form', { class: 'nba-form', hidden: '' });
  readonly message = el('span', { role: 'status' });
  readonly #send: HTMLButtonElement;
  readonly #inputs: readonly HTMLInputElement[];

  /** `work` gets the words, and returns what there is to say when it is done. */
  constructor(
    verb: string,
    private readonly busy: string,
    fields: readonly (readonly [label: string, value: string])[],
    private readonly work: (...words: string[]) => Promise<string>
  ) {
    this.open = el('button', {}, `${verb}…`);
    this.#send = el('button', { type: 'submit' }, verb);
    const no = el('button', {}, 'Cancel');
    this.#inputs = fields.map(([label, value], i) => {
      const input = el('input', { id: freshId('field'), value, ...(i ? {} : { required: '' }) });
      this.node.append(el('span', {}, el('label', { for: input.id, class: 'nba-muted' }, `${label} `), input));
      return input;
    });
    this.node.append(this.#send, no);
    on(this.open, 'click', () => this.#show(true));
    on(no, 'click', () => this.#show(false));
    onSend(this.node, () => this.#onSend(), () => this.#show(false));
  }

  #show(isShown: boolean): void {
    show(this.node, isShown);
    show(this.open, !isShown);
    setText(this.message, '');
    (isShown ? this.#inputs[0] : this.open)?.focus();
  }

  async #onSend(): Promise<void> {
    this.#send.disabled = true;
    setText(this.message, this.busy);
    try {
      const done = await this.work(...this.#inputs.map(input => input.value.trim()));
      this.#show(false);
      setText(this.message, done);
    } catch (error) {
      setText(this.message, messageOf(error));
      this.#inputs[0]?.focus();
    }
    this.#send.disabled = false;
  }
}
