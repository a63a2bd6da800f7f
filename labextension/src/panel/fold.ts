import { el, freshId, on, set, setText, show } from '../runview/dom';

/** Remembers what is folded. */
export interface Folds {
  isFolded(key: string): boolean;
  setFolded(key: string, isFolded: boolean): void;
}

/** A heading that folds what is below it. */
export class Fold {
  readonly head = el('button');
  readonly #name = el('bdi');
  readonly #count = el('span', { class: 'nba-muted' });
  #isForced = false;

  constructor(
    name: string,
    readonly body: HTMLElement,
    private readonly key: string,
    private readonly folds: Folds
  ) {
    this.body.id ||= freshId('fold');
    setText(this.#name, name);
    this.head.append(this.#name, this.#count);
    set(this.head, { 'aria-controls': this.body.id });
    on(this.head, 'click', () => {
      this.folds.setFolded(this.key, !this.folds.isFolded(this.key));
      this.#draw();
    });
    this.#draw();
  }

  /** `isForced` opens it whatever was chosen, for example while there is a filter. */
  update(count: string, isForced: boolean): void {
    this.#isForced = isForced;
    setText(this.#count, count);
    this.#draw();
  }

  #draw(): void {
    const isOpen = this.#isForced || !this.folds.isFolded(this.key);
    set(this.head, { 'aria-expanded': String(isOpen) });
    show(this.body, isOpen);
  }
}
