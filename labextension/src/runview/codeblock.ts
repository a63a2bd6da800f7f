import { el, setText, show } from './dom';

/** A heading, code, and a button that copies it. */
export class CodeBlock {
  readonly node = el('section');
  readonly #code = el('pre', { tabindex: 0 });
  readonly #copy = el('button', { type: 'button' }, 'Copy');

  constructor(title: string) {
    this.node.append(el('div', { class: 'nba-codehead' }, el('h4', {}, title), this.#copy), this.#code);
    this.#copy.addEventListener('click', () => void this.#onCopy());
    this.setText('');
  }

  get hasText(): boolean {
    return this.#code.textContent !== '';
  }

  setText(text: string): void {
    setText(this.#code, text);
    show(this.#code, text !== '');
    show(this.#copy, text !== '');
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
