/** The shapes that the server sends. Times are seconds since the epoch; an absent key is null. */

import type { Graph, Step } from './graph/types';
import type { Logged } from './logged/types';

export type Status =
  | 'Running'
  | 'Completed'
  | 'Failed'
  | 'TimeLimit'
  | 'MemoryLimit'
  | 'Crashed'
  | 'Canceled'
  | 'WorkerLost';

export interface Metric {
  name: string;
  maximize: boolean;
}

export interface Best {
  n: number;
  score: number | null;
  std: number | null;
  pipeline: string;
}

export interface Compute {
  name: string;
  workers: number | null;
  busy: number | null;
  memory_bytes: number | null;
}

export interface DataSummary {
  rows: number;
  columns: number;
  folds: number;
  validation: string;
}

export interface Header {
  /** What the run does; outputs saved by older versions have none, and are of AutoML runs. */
  kind?: 'automl' | 'script' | 'interactive' | 'pipeline' | 'step';
  /** What a script's run does, in words. */
  work?: string;
  title: string;
  run_id: string;
  status: string;
  is_live: boolean;
  reason: string;
  phase: string | null;
  text: string;
  task: string | null;
  label: string | null;
  dataset: string | null;
  metric: Metric | null;
  started_at: number | null;
  ended_at: number | null;
  now: number;
  deadline: number | null;
  /** Since when the run stands still, while it does; outputs saved by older versions have none. */
  paused_at?: number | null;
  max_iterations: number | null;
  progress: number | null;
  ends: string;
  n_done: number;
  /** Without a score, and how many of these were ended on purpose. */
  n_failed: number;
  n_stopped: number;
  n_running: number;
  n_total: number;
  /** Of a pipeline: how many steps are done, and how many there are. */
  steps?: readonly [done: number, all: number] | null;
  best: Best | null;
  compute: Compute | null;
  data: DataSummary | null;
  alerts: number;
}

export interface Trial {
  n: number;
  id?: string;
  name: string;
  family: string;
  status: Status;
  score?: number | null;
  std?: number | null;
  seconds?: number | null;
  folds?: [number, number];
  error?: string | null;
  started_at?: number;
  ensemble?: boolean;
  /** Only its point of the chart is known: the saved output leaves the rest out. */
  partial?: boolean;
}

export interface TrialDetails extends Trial {
  params: Record<string, unknown>;
  metrics: Record<string, number | null>;
  /** Metrics of which less is better. */
  minimized: string[];
  fold_scores: (number | null)[];
  error_full: string;
  /** The model as ONNX: none where nobody asked for one. */
  onnx?: Onnx | null;
}

export interface Onnx {
  /** Whether the file is there; one that is not is written when it is first fetched. */
  is_ready: boolean;
  /** Why it cannot be written; empty where it can. */
  refused: string;
}

export interface Guardrail {
  name: string;
  state: string;
  description: string;
  details: Record<string, unknown>[];
}

/** Trials as points only: number, score, index into `families`, index into `states`. */
export interface Series {
  families: string[];
  states: Status[];
  points: [number, number | null, number, number][];
}

export interface Full {
  schema: number;
  run_id: string;
  workspace: string;
  seq: number;
  header: Header;
  trials: Trial[];
  guardrails: Guardrail[];
  series?: Series;
  /** In the saved output of a run that is no AutoML run. */
  logged?: Logged;
  /** Of a pipeline's run. */
  steps?: Step[];
  graph?: Graph;
}

export interface Frame {
  run: string;
  from: number;
  seq: number;
  header?: Partial<Header>;
  trials: Trial[];
  guardrails?: Guardrail[];
  /** Steps that changed; all of them where the graph comes along. */
  steps?: Step[];
  graph?: Graph;
}

export interface RunError {
  code: string;
  message: string;
  hint: string;
}

/** A line of the log; `level` is a name of Python's `logging`. */
export interface LogLine {
  seq: number;
  time: number;
  level: string;
  text: string;
}

export interface RunLog {
  seq: number;
  lines: LogLine[];
}

export interface RunCode {
  again: string;
  predict: string;
}

export interface RunColumn {
  name: string;
  dtype: string;
  purpose: string;
  used: boolean;
  reason: string;
  notes: string[];
  n_missing?: number;
  n_unique?: number;
  mean?: number | null;
  min?: number | null;
  max?: number | null;
}

/** How the label's values lie: rows of each class or range, in training and validation data. */
export interface LabelSummary {
  name: string;
  kind: 'classes' | 'numbers';
  rows: number[];
  bars: [text: string, counts: number[]][];
  /** How many classes the last bar counts, where there are too many for a bar each. */
  others?: number;
  mean?: number;
  median?: number;
}

export interface RunColumns {
  rows: number;
  columns: RunColumn[];
  label?: LabelSummary | null;
}

export interface ModelVersion {
  name: string;
  version: number;
}

/** One metric of all trials; `metrics` are the names of all that there are. */
export interface Scores {
  metrics: string[];
  maximize: boolean;
  scores: [number, number][];
}
