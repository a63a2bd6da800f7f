import { el, on, set, setText, show } from '../runview/dom';

/** A button that shows something, and hides it again. */
export class Disclosure {
  readonly node: HTMLButtonElement = el('button');

  constructor(
    private readonly name: string,
    private readonly content: HTMLElement,
    onTurn: (isOpen: boolean) => unknown
  ) {
    on(this.node, 'click', () => {
      this.open(!this.isOpen);
      onTurn(this.isOpen);
    });
    this.open(false);
  }

  get isOpen(): boolean {
    return !this.content.hidden;
  }

  open(isOpen: boolean): void {
    show(this.content, isOpen);
    set(this.node, { 'aria-expanded': String(isOpen) });
    setText(this.node, `${isOpen ? 'Hide' : 'Show'} ${this.name}`);
  }
}
