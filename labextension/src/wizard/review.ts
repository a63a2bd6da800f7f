import { CodeBlock } from '../runview/codeblock';
import { el, freshId, on, setText, show } from '../runview/dom';
import type { DraftAnswer, Problem } from './types';

type Form = 'cell' | 'python';

/** Where the code goes; null is a new notebook. */
export interface Target {
  readonly name: string;
  readonly sources: readonly string[];
}

/** The last part: just what will be inserted, and what is left to correct. */
export class Review {
  readonly node = el('div', { class: 'nba-review nba-code' });
  readonly #problems = el('ul', { class: 'nba-problems', 'aria-label': 'To correct', hidden: '' });
  readonly #where = el('p', { class: 'nba-muted' });
  readonly #setup = new CodeBlock('First cell');
  readonly #main = new CodeBlock('Cell');
  readonly #choice = el('fieldset', { class: 'nba-forms' }, el('legend', {}, 'Insert as'));
  readonly #group = freshId('forms');
  #form: Form = 'cell';
  #answer: DraftAnswer | null = null;
  #target: Target | null = null;

  constructor(private readonly go: (field: string) => void) {
    this.#add('cell', 'A %%automl cell');
    this.#add('python', 'Python');
    this.node.append(this.#problems, this.#choice, this.#where, this.#setup.node, this.#main.node);
    this.#draw();
  }

  /** Show what the server says of the draft; null while there is no data. */
  update(answer: DraftAnswer | null, target: Target | null): void {
    this.#answer = answer;
    this.#target = target;
    this.#draw();
  }

  /** The cells that Insert puts into the notebook; none while something has to be corrected. */
  get cells(): string[] {
    const answer = this.#answer;
    const target = this.#target;
    if (!answer?.cell || !answer.python) {
      return [];
    }
    if (this.#form === 'python') {
      return [answer.python];
    }
    const setup = answer.setup ?? '';
    const isThere = target?.sources.some(source => source.includes(setup)) ?? false;
    return setup && !isThere ? [setup, answer.cell] : [answer.cell];
  }

  #add(form: Form, title: string): void {
    const input = el('input', { type: 'radio', name: this.#group, value: form, id: freshId('as') });
    input.checked = form === this.#form;
    on(input, 'change', () => {
      this.#form = form;
      this.#draw();
    });
    this.#choice.append(input, el('label', { for: input.id }, title));
  }

  #draw(): void {
    const cells = this.cells;
    const [first, last] = cells.length > 1 ? cells : ['', cells[0] ?? ''];
    this.#setup.setText(first ?? '');
    this.#main.setText(last ?? '');
    show(this.#choice, cells.length > 0);
    setText(this.#where, this.#answer ? this.#place(cells.length) : 'Choose data first.');
    show(this.#where, !this.#answer || cells.length > 0);
    this.#drawProblems(this.#answer?.problems ?? []);
  }

  #place(count: number): string {
    const what = count > 1 ? `These ${count} cells go` : 'This cell goes';
    return this.#target ? `${what} below the active cell of ${this.#target.name}.` : `${what} into a new notebook.`;
  }

  #drawProblems(problems: readonly Problem[]): void {
    const items = problems.map(({ field, message }) => {
      const button = el('button', { class: 'nba-link' }, message);
      on(button, 'click', () => this.go(field));
      return el('li', {}, button);
    });
    this.#problems.replaceChildren(...items);
    show(this.#problems, items.length > 0);
  }
}
