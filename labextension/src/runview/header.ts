import { Buttons } from './buttons';
import type { Actions, Component } from './component';
import { el, on, set, setText, show } from './dom';
import { moment, shortId, statusWords } from './format';
import type { RunState } from './model';

export type Connection = 'connecting' | 'connected' | 'lost';

/** Status dot, experiment, ids, badges and the run's buttons. */
export class HeaderBar implements Component {
  readonly node = el('header', { class: 'nba-header' });
  readonly #dot = el('span', { class: 'nba-dot', role: 'img' });
  readonly #title = el('h3', { class: 'nba-title' });
  readonly #status = el('span', { class: 'nba-status' });
  readonly #id = el('button', { class: 'nba-id' });
  readonly #facts = el('span', { class: 'nba-muted nba-facts' });
  readonly #badge = el('span', { class: 'nba-badge', hidden: '' });
  readonly #snapshot = el('span', { class: 'nba-badge', hidden: '' });
  readonly #buttons: Buttons;
  #connection: Connection = 'connecting';
  #problem = '';
  #state: RunState | null = null;

  constructor(actions: Actions, say: (message: string) => void) {
    this.#buttons = new Buttons(actions, say);
    this.#buttons.onRedraw(() => this.#state && this.#buttons.update(this.#state));
    on(this.#id, 'click', () => void this.#copyId(say));
    const names = el('div', { class: 'nba-names' }, this.#dot, this.#title, this.#status, this.#id, this.#facts);
    this.node.append(names, this.#badge, this.#snapshot, this.#buttons.node);
  }

  setConnection(connection: Connection, problem = ''): void {
    this.#connection = connection;
    this.#problem = problem;
    if (this.#state) {
      this.update(this.#state);
    }
  }

  update(state: RunState): void {
    this.#state = state;
    const { header } = state;
    set(this.#dot, { 'data-status': header.status, 'aria-label': statusWords(header.status) });
    setText(this.#title, header.title || 'AutoML run');
    setText(this.#status, statusWords(header.status));
    set(this.#status, { 'data-status': header.status });
    setText(this.#id, shortId(state.runId));
    set(this.#id, { title: `Copy the run's id: ${state.runId}`, 'aria-label': `Copy run id ${state.runId}` });
    const facts = [header.task, header.label, header.metric?.name, header.work].filter(Boolean);
    setText(this.#facts, facts.join(' · '));
    this.#updateBadges(state);
    this.#buttons.update(state);
    show(this.#buttons.node, header.is_live && this.#connection === 'connected');
  }

  #updateBadges(state: RunState): void {
    const isLost = this.#connection === 'lost';
    show(this.#badge, isLost && (state.header.is_live || this.#problem !== ''));
    setText(this.#badge, 'not connected');
    set(this.#badge, { title: this.#problem || 'The server does not answer; trying again.' });
    show(this.#snapshot, isLost);
    setText(this.#snapshot, `snapshot from ${moment(state.header.now)}`);
  }

  async #copyId(say: (message: string) => void): Promise<void> {
    const id = this.#state?.runId ?? '';
    try {
      await navigator.clipboard.writeText(id);
      say('Run id copied.');
    } catch {
      say(`Run id: ${id}`);
    }
  }
}
