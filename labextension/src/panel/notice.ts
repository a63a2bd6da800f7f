import { el, on, setText, show } from '../runview/dom';

const GONE_AFTER_MS = 8000;

/** What came of an action, said where it was asked for. An error stays until it is put away. */
export class Notice {
  readonly node = el('div', { class: 'nba-notice', hidden: '' });
  readonly #text = el('span', { role: 'status' });
  readonly #away = el('button', { 'aria-label': 'Put this message away' }, '×');
  #timer = 0;

  constructor() {
    this.node.append(this.#text, this.#away);
    on(this.#away, 'click', () => this.say(''));
  }

  say(text: string, kind: 'done' | 'busy' | 'error' = 'done'): void {
    window.clearTimeout(this.#timer);
    show(this.node, text !== '');
    setText(this.#text, text);
    show(this.#away, kind !== 'busy');
    this.node.classList.toggle('nba-error', kind === 'error');
    if (kind === 'done' && text) {
      this.#timer = window.setTimeout(() => this.say(''), GONE_AFTER_MS);
    }
  }

  dispose(): void {
    window.clearTimeout(this.#timer);
  }
}
