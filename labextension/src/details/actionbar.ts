import { el, on } from '../runview/dom';
import { Doer } from '../panel/doer';
import type { Action, Doings } from '../panel/item';

/** Buttons for actions; what they ask and what came of them is said below. */
export class ActionBar {
  readonly node = el('div', { class: 'nba-actionbar' });
  readonly #buttons = el('div', { class: 'nba-buttons', role: 'group', 'aria-label': 'Actions' });
  readonly #doer: Doer;
  #pressed: HTMLElement | null = null;

  constructor(doings: Doings, changed: () => void) {
    this.#doer = new Doer(() => doings, changed, () => this.#pressed?.focus());
    this.node.append(this.#buttons, this.#doer.ask.node, this.#doer.notice.node);
  }

  update(actions: readonly Action[]): void {
    const focused = this.#buttons.contains(document.activeElement) ? document.activeElement?.textContent : null;
    const buttons = actions.map(action => this.#button(action));
    this.#buttons.replaceChildren(...buttons);
    buttons.find(button => button.textContent === focused)?.focus();
  }

  dispose(): void {
    this.#doer.notice.dispose();
  }

  #button(action: Action): HTMLElement {
    const button = el('button', {}, action.label);
    button.classList.toggle('nba-bad', action.isDangerous === true);
    on(button, 'click', () => {
      this.#pressed = button;
      this.#doer.start(action);
    });
    return button;
  }
}
