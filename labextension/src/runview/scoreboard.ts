import { el, fill, on } from './dom';
import type { RunState } from './model';
import { Timer } from './timer';
import type { Scores, Trial } from './types';

/** Another metric is asked for again at most this often while the run goes on. */
const INTERVAL_MS = 1000;

/** Chooses the metric that the leaderboard shows; the primary one comes with the run itself. */
export class Scoreboard {
  readonly node = el('label', { class: 'nba-muted' }, 'Metric ');
  readonly #select = el('select', { 'aria-label': 'Metric' });
  readonly #timer = new Timer();
  #scores: Scores | null = null;
  #values = new Map<number, number>();
  #names: readonly string[] = [];
  #primary = '';
  #chosen = '';
  #seq = -1;

  constructor(
    private readonly load: (metric: string) => Promise<Scores>,
    private readonly onChange: () => void
  ) {
    this.node.append(this.#select);
    // Names are asked for when somebody is about to choose.
    on(this.#select, 'focus', () => void this.#fetch());
    on(this.#select, 'change', () => this.#choose(this.#select.value));
    this.#draw();
  }

  /** Whether the metric shown is not the primary one. */
  get isOther(): boolean {
    return this.#chosen !== '' && this.#scores !== null;
  }

  get name(): string {
    return this.isOther ? this.#chosen : this.#primary;
  }

  get maximize(): boolean | null {
    return this.isOther ? (this.#scores?.maximize ?? null) : null;
  }

  /** The trials with the scores of the chosen metric. */
  apply(state: RunState): Trial[] {
    this.#primary = state.header.metric?.name ?? '';
    this.#draw();
    const trials = [...state.trials.values()];
    if (!this.isOther) {
      return trials;
    }
    this.#follow(state.seq);
    return trials.map(trial => ({ ...trial, score: this.#values.get(trial.n) ?? null, std: null }));
  }

  dispose(): void {
    this.#timer.stop();
  }

  #choose(name: string): void {
    this.#chosen = name === this.#primary ? '' : name;
    this.#scores = null;
    void this.#fetch();
    this.onChange();
  }

  #follow(seq: number): void {
    if (seq > this.#seq && !this.#timer.isSet) {
      this.#timer.start(() => this.#fetch(), INTERVAL_MS);
    }
    this.#seq = seq;
  }

  async #fetch(): Promise<void> {
    const asked = this.#chosen;
    try {
      const scores = await this.load(asked);
      this.#names = scores.metrics;
      if (asked === this.#chosen && asked !== '') {
        this.#scores = scores;
        this.#values = new Map(scores.scores);
        this.onChange();
      }
      this.#draw();
    } catch {
      // The primary metric is there without the server.
      this.#chosen = '';
      this.#draw();
    }
  }

  #draw(): void {
    const names = [...new Set([this.#primary, ...this.#names])].filter(Boolean);
    fill(this.#select, names.map(name => [name, name]), this.#chosen || this.#primary);
  }
}
