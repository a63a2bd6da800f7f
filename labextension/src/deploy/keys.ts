import { el, messageOf, on, setText } from '../runview/dom';
import { Disclosure } from './disclosure';
import type { DeploymentSource, Keys } from './types';

/** The keys of a deployment: hidden until they are asked for, replaced on demand. */
export class KeysView {
  readonly node = el('section', { class: 'nba-keys' });
  readonly #list = el('div', { class: 'nba-pairs' });
  readonly #toggle = new Disclosure('keys', this.#list, isOpen =>
    isOpen ? this.#ask(() => this.source.keys()) : this.#list.replaceChildren()
  );
  readonly #message = el('span', { role: 'status' });

  constructor(private readonly source: DeploymentSource) {
    this.node.append(this.#toggle.node, this.#message, this.#list);
  }

  async #ask(call: () => Promise<Keys>): Promise<void> {
    try {
      this.#draw(await call());
      setText(this.#message, '');
    } catch (error) {
      setText(this.#message, messageOf(error));
    }
  }

  #draw(keys: Keys): void {
    this.#list.replaceChildren(...this.#line('Primary', keys.primary), ...this.#line('Secondary', keys.secondary));
  }

  #line(name: 'Primary' | 'Secondary', key: string): Node[] {
    const renew = el('button', { 'aria-label': `Replace the ${name.toLowerCase()} key` }, 'Replace');
    on(renew, 'click', () => void this.#ask(() => this.source.renewKey(name)));
    return [el('span', { class: 'nba-muted' }, name), el('span', {}, el('code', {}, key), ' ', renew)];
  }
}
