import { el, setText, show } from '../runview/dom';

/** A heading, text that is to be used elsewhere, and a button that copies it. */
export class CopyBlock {
  readonly node = el('section', { class: 'nba-copyblock' });
  readonly #code = el('pre', { tabindex: 0 });
  readonly #button: HTMLButtonElement;

  constructor(title: string) {
    this.#button = el('button', { type: 'button', 'aria-label': `Copy: ${title}` }, 'Copy');
    this.node.append(el('div', { class: 'nba-codehead' }, el('h4', {}, title), this.#button), this.#code);
    this.#button.addEventListener('click', () => void this.#copy());
    this.setText('');
  }

  setText(text: string): void {
    setText(this.#code, text);
    show(this.node, text !== '');
    setText(this.#button, 'Copy');
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#code.textContent ?? '');
      setText(this.#button, 'Copied');
    } catch {
      window.getSelection()?.selectAllChildren(this.#code);
      setText(this.#button, 'Selected');
    }
  }
}
