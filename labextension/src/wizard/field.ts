import { el, freshId, say, set } from '../runview/dom';
import { makeControl, type Context, type Control } from './controls';
import type { Draft } from './draft';
import type { FieldSpec } from './types';

/** One field: its title, what holds its value, what it does, and what is wrong with it. */
export class Field {
  readonly node = el('div', { class: 'nba-field' });
  readonly name: string;
  readonly #control: Control;
  readonly #note = el('p', { class: 'nba-note', hidden: '' });
  readonly #error = el('p', { class: 'nba-error', hidden: '' });
  #isTouched = false;

  constructor(
    spec: FieldSpec,
    private readonly draft: Draft
  ) {
    this.name = spec.name;
    this.#control = makeControl(spec, () => this.#onChange());
    const { input, node } = this.#control;
    const [help, id, titleId] = [freshId('help'), freshId('field'), freshId('title')];
    this.#note.id = freshId('note');
    this.#error.id = freshId('error');
    set(input, { id, 'aria-describedby': `${this.#error.id} ${this.#note.id} ${help}`, 'data-setting': spec.name });
    if (spec.is_needed) {
      set(input, { 'aria-required': 'true' });
    }
    const isGroup = input.getAttribute('role') === 'group';
    const title = isGroup ? el('span', { id: titleId }, spec.title) : el('label', { for: id, id: titleId }, spec.title);
    if (isGroup) {
      set(input, { 'aria-labelledby': titleId });
    }
    if (spec.unit) {
      node.append(el('span', { class: 'nba-muted nba-unit' }, spec.unit));
    }
    const doc = el('p', { class: 'nba-muted nba-help', id: help }, `${spec.doc} `, el('code', {}, spec.name));
    this.node.append(title, node, this.#error, this.#note, doc);
    this.node.classList.toggle('nba-ticked', spec.kind === 'flag');
    this.#control.write(draft.value(spec.name));
  }

  /** Offer what there is to choose from now; what is no longer there is taken back. */
  update(context: Context): void {
    this.#control.update(context);
    const known = this.draft.value(this.name);
    this.#control.write(known);
    if (known !== undefined && String(this.#control.read()) !== String(known)) {
      this.draft.set(this.name, this.#control.read());
    }
  }

  /** Say more of the value that was chosen. */
  setNote(text: string): void {
    say(this.#note, text);
  }

  /** Say what is wrong; a field that nobody has touched is left in peace. */
  setProblem(message: string, isAsked: boolean): void {
    const text = this.#isTouched || isAsked ? message : '';
    say(this.#error, text);
    set(this.#control.input, { 'aria-invalid': String(text !== '') });
  }

  focus(): void {
    this.node.closest('details')?.setAttribute('open', '');
    this.#control.input.focus();
  }

  #onChange(): void {
    this.#isTouched = true;
    this.draft.set(this.name, this.#control.read());
  }
}
