import { el, messageOf, setText, show } from '../runview/dom';
import type { DeploymentSource, Keys } from './types';

/** The keys of a deployment: hidden until they are asked for, replaced on demand. */
export class KeysView {
  readonly node = el('section', { class: 'nba-keys' });
  readonly #toggle = el('button', { type: 'button', 'aria-expanded': 'false' }, 'Show keys');
  readonly #list = el('div', { class: 'nba-pairs', hidden: '' });
  readonly #message = el('span', { role: 'status' });

  constructor(private readonly source: DeploymentSource) {
    this.node.append(this.#toggle, this.#message, this.#list);
    this.#toggle.addEventListener('click', () => void this.#onToggle());
  }

  async #onToggle(): Promise<void> {
    if (!this.#list.hidden) {
      this.#list.replaceChildren();
      this.#open(false);
      return;
    }
    await this.#ask(() => this.source.keys());
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
    this.#open(true);
  }

  #line(name: 'Primary' | 'Secondary', key: string): Node[] {
    const renew = el('button', { type: 'button' }, 'Replace');
    renew.setAttribute('aria-label', `Replace the ${name.toLowerCase()} key`);
    renew.addEventListener('click', () => void this.#ask(() => this.source.renewKey(name)));
    return [el('span', { class: 'nba-muted' }, name), el('span', {}, el('code', {}, key), ' ', renew)];
  }

  #open(isOpen: boolean): void {
    show(this.#list, isOpen);
    this.#toggle.setAttribute('aria-expanded', String(isOpen));
    setText(this.#toggle, isOpen ? 'Hide keys' : 'Show keys');
  }
}
