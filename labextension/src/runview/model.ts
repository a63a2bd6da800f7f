/** The state of a run view as a fold of what the server sends. No DOM. */

import type { Graph, Step } from './graph/types';
import type { Frame, Full, Guardrail, Header, Trial } from './types';

export interface RunState {
  readonly runId: string;
  readonly workspace: string;
  readonly seq: number;
  readonly header: Header;
  readonly trials: ReadonlyMap<number, Trial>;
  readonly guardrails: readonly Guardrail[];
  /** Of a pipeline's run, by number. */
  readonly steps: ReadonlyMap<number, Step>;
  readonly graph?: Graph | undefined;
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
  return {
    runId: full.run_id,
    workspace: full.workspace ?? '',
    seq: full.seq,
    header: full.header,
    trials: withRows(new Map(), [...seriesTrials(full), ...full.trials]),
    guardrails: full.guardrails ?? [],
    steps: withRows(new Map(), full.steps),
    graph: full.graph
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
    trials: withRows(state.trials, frame.trials),
    guardrails: frame.guardrails ?? state.guardrails,
    steps: withRows(frame.graph ? new Map() : state.steps, frame.steps),
    graph: frame.graph ?? state.graph
  };
  return [next, 'applied'];
}

/** Rows with others in their places; the same where there are no others. */
function withRows<T extends { n: number }>(known: ReadonlyMap<number, T>, rows: readonly T[] = []): ReadonlyMap<number, T> {
  return rows.length ? new Map([...known, ...rows.map(row => [row.n, row] as const)]) : known;
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
