import { el, on, setText, show } from './dom';

/** A heading, text that is to be used elsewhere, and a button that copies it; it is there while there is text. */
export class CodeBlock {
  readonly node = el('section', { class: 'nba-copyblock' });
  readonly #code = el('pre', { tabindex: 0 });
  readonly #copy: HTMLButtonElement;

  constructor(title: string) {
    this.#copy = el('button', { 'aria-label': `Copy: ${title}` }, 'Copy');
    this.node.append(el('div', { class: 'nba-codehead' }, el('h4', {}, title), this.#copy), this.#code);
    on(this.#copy, 'click', () => void this.#onCopy());
    this.setText('');
  }

  get hasText(): boolean {
    return this.#code.textContent !== '';
  }

  setText(text: string): void {
    setText(this.#code, text);
    show(this.node, text !== '');
    setText(this.#copy, 'Copy');
  }

  async #onCopy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#code.textContent ?? '');
      setText(this.#copy, 'Copied');
    } catch {
      window.getSelection()?.selectAllChildren(this.#code);
      setText(this.#copy, 'Selected');
    }
  }
}
