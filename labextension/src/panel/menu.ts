import { el, on, set } from '../runview/dom';

/** One entry of a menu. */
export interface Choice {
  readonly label: string;
  readonly isDangerous?: boolean;
  /** The key that does the same without the menu. */
  readonly hint?: string;
  choose(): void;
}

const MARGIN_PX = 4;

/** A menu at a button, after the ARIA pattern: arrows, Home, End and letters move, Escape goes back. */
export class Menu {
  readonly #node = el('div', { class: 'nbautoml nba-menu', role: 'menu' });
  #opener: HTMLElement | null = null;
  readonly #onOutside = (event: Event): void => {
    const target = event.target as Node | null;
    if (!this.#node.contains(target) && !this.#opener?.contains(target)) {
      this.close(false);
    }
  };
  readonly #onScroll = (event: Event): void => {
    if ((event.target as Node | null)?.contains(this.#opener)) {
      this.close(false); // the button has moved away from below it
    }
  };
  readonly #onResize = (): void => this.close(false);

  constructor() {
    on(this.#node, 'keydown', event => this.#onKey(event));
    on(this.#node, 'focusout', event => {
      if (this.isOpen && event.relatedTarget !== null && !this.#node.contains(event.relatedTarget as Node)) {
        this.close(false);
      }
    });
  }

  get isOpen(): boolean {
    return this.#opener !== null;
  }

  /** Open at a button, or close when it is the one that the menu is open at. */
  toggle(opener: HTMLElement, label: string, choices: readonly Choice[]): void {
    const isOwn = this.#opener === opener;
    this.close(isOwn);
    if (!isOwn) {
      this.open(opener, label, choices);
    }
  }

  open(opener: HTMLElement, label: string, choices: readonly Choice[]): void {
    this.close(false);
    this.#opener = opener;
    set(this.#node, { 'aria-label': label });
    this.#node.replaceChildren(...choices.map(choice => this.#entry(choice)));
    // In the body: the panel cuts off what goes beyond it.
    document.body.append(this.#node);
    place(this.#node, opener.getBoundingClientRect());
    set(opener, { 'aria-expanded': 'true' });
    on(document, 'pointerdown', this.#onOutside, true);
    on(document, 'scroll', this.#onScroll, true);
    on(window, 'resize', this.#onResize);
    this.#focus(0);
  }

  close(returnsFocus: boolean): void {
    const opener = this.#opener;
    if (!opener) {
      return;
    }
    this.#opener = null;
    set(opener, { 'aria-expanded': 'false' });
    document.removeEventListener('pointerdown', this.#onOutside, true);
    document.removeEventListener('scroll', this.#onScroll, true);
    window.removeEventListener('resize', this.#onResize);
    if (returnsFocus) {
      opener.focus();
    }
    this.#node.remove();
  }

  #entry({ label, isDangerous, hint, choose }: Choice): HTMLElement {
    const button = el('button', { role: 'menuitem', tabindex: -1 }, el('span', {}, label));
    button.classList.toggle('nba-bad', isDangerous === true);
    if (hint) {
      button.append(el('kbd', { 'aria-hidden': 'true' }, hint));
      set(button, { 'aria-keyshortcuts': hint });
    }
    on(button, 'click', () => {
      this.close(true);
      choose();
    });
    return button;
  }

  #onKey(event: KeyboardEvent): void {
    const entries = this.#entries();
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    const step = steps[event.key];
    if (step !== undefined) {
      this.#focus(step);
    } else if (event.key === 'Escape') {
      this.close(true);
    } else if (event.key === 'Tab') {
      this.close(true);
      return; // and the browser goes on from the button
    } else if (event.key.length === 1 && event.key !== ' ') {
      this.#focus(entries.indexOf(this.#next(entries, at, event.key) ?? entries[at] ?? this.#node));
    } else {
      return; // Enter and space press the button
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** The next entry that begins with a letter. */
  #next(entries: readonly HTMLElement[], at: number, letter: string): HTMLElement | undefined {
    const behind = [...entries.slice(at + 1), ...entries.slice(0, at + 1)];
    return behind.find(entry => entry.textContent?.toLowerCase().startsWith(letter.toLowerCase()));
  }

  #entries(): HTMLElement[] {
    return [...this.#node.querySelectorAll<HTMLElement>('[role=menuitem]')];
  }

  #focus(at: number): void {
    const entries = this.#entries();
    entries[(at + entries.length) % entries.length]?.focus();
  }
}

/** Put the menu below its button, or above where there is no room, and within the window. */
function place(node: HTMLElement, anchor: DOMRect): void {
  const { width, height } = node.getBoundingClientRect();
  const isBelow = anchor.bottom + height + MARGIN_PX <= window.innerHeight;
  const top = isBelow ? anchor.bottom : Math.max(MARGIN_PX, anchor.top - height);
  const left = Math.max(MARGIN_PX, Math.min(anchor.right - width, window.innerWidth - width - MARGIN_PX));
  node.style.top = `${top}px`;
  node.style.left = `${left}px`;
}
