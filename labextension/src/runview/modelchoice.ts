import { el, fill, labelled, on } from './dom';
import { score } from './format';
import type { RunState } from './model';
import { metricOrder, rank } from './ranking';
import type { Trial } from './types';

/** The model that is chosen as long as nobody chose another one. */
const BEST = 'best';

/** Which finished model a tab shows: the best one, or the one that is chosen. */
export class ModelChoice {
  readonly #select = el('select', { 'aria-label': 'Model' });
  readonly node = labelled('Model', this.#select);
  /** The chosen model; null is the best one. */
  chosen: number | null = null;

  constructor(onChange: (n: number | null) => void) {
    on(this.#select, 'change', () => {
      onChange(this.#select.value === BEST ? null : Number(this.#select.value));
    });
  }

  update(state: RunState): void {
    const { best, metric } = state.header;
    const done = [...state.trials.values()].filter(trial => trial.status === 'Completed');
    const ranked = rank(done, metricOrder(metric?.maximize ?? true));
    const first = [BEST, best ? `best: ${best.n} ${best.pipeline}` : 'best'] as const;
    const others = ranked.map(({ n, name, score: value }) => [String(n), `${n} ${name} ${score(value)}`] as const);
    fill(this.#select, [first, ...others], this.chosen === null ? BEST : String(this.chosen));
  }

  /** The chosen model, or the best one. */
  trial(state: RunState | null): Trial | null {
    const n = this.chosen ?? state?.header.best?.n;
    return n === undefined ? null : (state?.trials.get(n) ?? null);
  }
}
