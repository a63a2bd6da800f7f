import type { Component } from './component';
import { el, setText } from './dom';
import { score } from './format';
import type { RunState } from './model';

const INTERVAL_MS = 5000;

/** Tells screen readers how the run goes, at most every five seconds; its end at once. */
export class Announcer implements Component {
  readonly node = el('div', { class: 'nba-hidden', role: 'status', 'aria-live': 'polite' });
  #saidAt = -Infinity;
  #wasLive = true;

  constructor(private readonly now: () => number = () => performance.now()) {}

  update(state: RunState): void {
    const { header } = state;
    const hasEnded = this.#wasLive && !header.is_live;
    this.#wasLive = header.is_live;
    if (!hasEnded && this.now() - this.#saidAt < INTERVAL_MS) {
      return;
    }
    this.#saidAt = this.now();
    const best = header.best ? `. Best ${header.metric?.name ?? 'score'} ${score(header.best.score)}` : '';
    setText(this.node, header.text + best);
  }
}
