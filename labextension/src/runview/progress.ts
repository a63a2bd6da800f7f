import type { Component } from './component';
import { el, set, setText, show } from './dom';
import { clock, plural } from './format';
import type { RunState } from './model';
import { elapsed, left, progress, type End, type ServerClock } from './timing';

/** The bar, and the line below it: what the run does, how long it took and has left. */
export class Progress implements Component {
  readonly node = el('div', { class: 'nba-progress' });
  readonly #fill = el('b');
  readonly #bar = el('div', { class: 'nba-bar', role: 'progressbar', 'aria-label': 'Progress' }, this.#fill);
  readonly #text = el('span', { class: 'nba-text' });
  readonly #times = el('span');
  readonly #ends = el('span');
  #state: RunState | null = null;

  constructor(private readonly clock: ServerClock) {
    this.node.append(this.#bar, el('div', { class: 'nba-muted nba-line' }, this.#text, this.#times, this.#ends));
  }

  update(state: RunState): void {
    this.#state = state;
    const { header } = state;
    setText(this.#text, header.text);
    set(this.#bar, { 'data-status': header.status });
    setText(this.#ends, header.is_live ? header.ends : '');
    show(this.#ends, header.is_live && header.ends !== '');
    this.tick();
  }

  /** Move times on; called once a second between states. */
  tick(): void {
    if (!this.#state) {
      return;
    }
    const { header } = this.#state;
    const now = this.clock.now();
    const share = progress(header, now);
    this.#bar.classList.toggle('nba-unknown', share === null && header.is_live);
    this.#fill.style.width = `${((share ?? 0) * 100).toFixed(2)}%`;
    set(this.#bar, { 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuetext': header.text });
    if (share === null) {
      this.#bar.removeAttribute('aria-valuenow');
    } else {
      set(this.#bar, { 'aria-valuenow': Math.round(share * 100) });
    }
    this.#updateTimes(elapsed(header, now), left(header, now), header.is_live);
  }

  #updateTimes(spent: number | null, rest: End | null, isLive: boolean): void {
    show(this.#times, spent !== null);
    if (spent === null) {
      return;
    }
    const goal = rest?.by === 'iterations' ? ` to ${plural(this.#state?.header.max_iterations ?? 0, 'iteration')}` : '';
    const suffix = rest === null ? '' : `, about ${clock(rest.seconds)} left${goal}`;
    setText(this.#times, isLive ? `${clock(spent)} elapsed${suffix}` : `took ${clock(spent)}`);
  }
}
