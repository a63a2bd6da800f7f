import { el, freshId, on, onSend, set, setText, show } from '../runview/dom';
import type { Action, Field } from './item';

type Input = HTMLInputElement | HTMLTextAreaElement;
type Values = Readonly<Record<string, string>>;

/** What is asked before an action is done, where it is done: yes or no, or a few texts. */
export class Ask {
  readonly node = el('form', { class: 'nba-ask', hidden: '' });
  readonly #question = el('p', { id: freshId('question') });
  readonly #fields = el('div', { class: 'nba-askfields' });
  readonly #yes = el('button', { type: 'submit' });
  readonly #no = el('button', {}, 'Cancel');
  #inputs = new Map<string, Input>();
  #send: ((values: Values) => void) | null = null;

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

  /**
   * Ask; once more with what was `typed` when that led to a `problem`, which is said at the field that it names.
   * Returns whether it names one.
   */
  open(action: Action, send: (values: Values) => void, typed: Values = {}, problem = ''): boolean {
    const label = action.label.replace(/…$/, '');
    const isDangerous = action.isDangerous === true;
    this.#send = send;
    setText(this.#question, action.confirm ?? label);
    setText(this.#yes, action.submit ?? label);
    this.#yes.className = isDangerous ? 'nba-solid' : '';
    const fields = action.fields ?? [];
    this.#inputs = new Map(fields.map(field => [field.name, input(field, typed[field.name])]));
    this.#fields.replaceChildren(...fields.map(field => this.#labelled(field)));
    show(this.node, true);
    const words = problem.split(/[^\w.-]+|\.(?= |$)/);
    const wrong = this.#inputs.get(fields.find(({ name }) => words.includes(name.trim()))?.name ?? '');
    if (wrong) {
      const text = el('span', { id: freshId('problem'), class: 'nba-error', role: 'alert' }, problem);
      set(wrong, { 'aria-invalid': 'true', 'aria-describedby': text.id });
      wrong.parentElement?.after(text);
    }
    const first = wrong ?? [...this.#inputs.values()][0];
    (first ?? (isDangerous ? this.#no : this.#yes)).focus();
    first?.select();
    return wrong !== undefined;
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

function input(field: Field, typed = field.value): Input {
  const node = field.isLong ? el('textarea', { rows: 2 }) : el('input', { type: 'text' });
  node.value = typed;
  node.required = field.isRequired === true;
  return node;
}
