import { el, freshId, on, onSend, set, setText, show } from '../runview/dom';
import type { Action, Field } from './item';

type Input = HTMLInputElement | HTMLTextAreaElement;

/** What is asked before an action is done, where it is done: yes or no, or a few texts. */
export class Ask {
  readonly node = el('form', { class: 'nba-ask', hidden: '' });
  readonly #question = el('p', { id: freshId('question') });
  readonly #fields = el('div', { class: 'nba-askfields' });
  readonly #yes = el('button', { type: 'submit' });
  readonly #no = el('button', {}, 'Cancel');
  #inputs = new Map<string, Input>();
  #send: ((values: Record<string, string>) => void) | null = null;

  /** `giveBack` is where the focus goes when the question is gone. */
  constructor(private readonly giveBack: () => void) {
    set(this.node, { role: 'group', 'aria-labelledby': this.#question.id });
    this.node.append(this.#question, this.#fields, el('div', { class: 'nba-askbuttons' }, this.#yes, this.#no));
    on(this.#no, 'click', () => this.close());
    onSend(this.node, () => this.#onSend(), () => this.close());
  }

  get isOpen(): boolean {
    return this.#send !== null;
  }

  open(action: Action, send: (values: Record<string, string>) => void): void {
    const label = action.label.replace(/…$/, '');
    const isDangerous = action.isDangerous === true;
    this.#send = send;
    setText(this.#question, action.confirm ?? label);
    setText(this.#yes, action.submit ?? label);
    this.#yes.className = isDangerous ? 'nba-solid' : '';
    this.#inputs = new Map((action.fields ?? []).map(field => [field.name, input(field)]));
    this.#fields.replaceChildren(...(action.fields ?? []).map(field => this.#labelled(field)));
    show(this.node, true);
    const first = [...this.#inputs.values()][0];
    (first ?? (isDangerous ? this.#no : this.#yes)).focus();
    first?.select();
  }

  close(): void {
    if (this.isOpen) {
      this.#send = null;
      this.giveBack();
      show(this.node, false);
    }
  }

  #labelled(field: Field): HTMLElement {
    const node = this.#inputs.get(field.name);
    return el('label', {}, el('span', { class: 'nba-muted' }, field.label), ...(node ? [node] : []));
  }

  #onSend(): void {
    const send = this.#send;
    const values = Object.fromEntries([...this.#inputs].map(([name, node]) => [name, node.value.trim()]));
    this.close();
    send?.(values);
  }
}

function input(field: Field): Input {
  const node = field.isLong ? el('textarea', { rows: 2 }) : el('input', { type: 'text' });
  node.value = field.value;
  node.required = field.isRequired === true;
  return node;
}
