/** The state of a run view as a fold of what the server sends. No DOM. */

import type { Frame, Full, Guardrail, Header, Trial } from './types';

export interface RunState {
  readonly runId: string;
  readonly workspace: string;
  readonly seq: number;
  readonly header: Header;
  readonly trials: ReadonlyMap<number, Trial>;
  readonly guardrails: readonly Guardrail[];
}

/** What a frame did: it was taken in, it was old, or frames are missing before it. */
export type Outcome = 'applied' | 'old' | 'gap';

/** The newest version of the shapes that this code reads. */
export const SCHEMA = 1;

export function isFull(value: unknown): value is Full {
  const full = value as Partial<Full> | null;
  return (
    typeof full === 'object' &&
    full !== null &&
    typeof full.run_id === 'string' &&
    typeof full.seq === 'number' &&
    typeof full.header === 'object' &&
    full.header !== null &&
    Array.isArray(full.trials)
  );
}

/** Whether a run is no AutoML run: a script's, or one that is logged by hand. */
export function isLogged({ header: { kind = 'automl' } }: Full): boolean {
  return kind !== 'automl';
}

export function fromFull(full: Full): RunState {
  const trials = new Map<number, Trial>();
  for (const point of seriesTrials(full)) {
    trials.set(point.n, point);
  }
  for (const trial of full.trials) {
    trials.set(trial.n, trial);
  }
  return {
    runId: full.run_id,
    workspace: full.workspace ?? '',
    seq: full.seq,
    header: full.header,
    trials,
    guardrails: full.guardrails ?? []
  };
}

export function applyFrame(state: RunState, frame: Frame): [RunState, Outcome] {
  if (frame.run !== state.runId || frame.seq <= state.seq) {
    return [state, 'old'];
  }
  if (frame.from > state.seq) {
    return [state, 'gap'];
  }
  const next: RunState = {
    ...state,
    seq: frame.seq,
    header: frame.header ? { ...state.header, ...frame.header } : state.header,
    trials: frame.trials.length ? withRows(state.trials, frame.trials) : state.trials,
    guardrails: frame.guardrails ?? state.guardrails
  };
  return [next, 'applied'];
}

function withRows(trials: ReadonlyMap<number, Trial>, rows: readonly Trial[]): Map<number, Trial> {
  const next = new Map(trials);
  for (const row of rows) {
    next.set(row.n, row);
  }
  return next;
}

function seriesTrials(full: Full): Trial[] {
  const series = full.series;
  if (!series) {
    return [];
  }
  return series.points.map(([n, score, family, state]) => ({
    n,
    score,
    name: series.families[family] ?? '',
    family: series.families[family] ?? '',
    status: series.states[state] ?? 'Completed',
    partial: true
  }));
}
