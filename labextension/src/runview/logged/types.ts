/** What a run logged, as the server sends it. A number that is missing is null. */

import type { ModelFigure } from '../plotter';
import type { LogLine } from '../types';

export type Cell = number | string | null;

/** The newest value of a name, and how many there were. */
export interface Value {
  name: string;
  value: Cell;
  n: number;
}

export interface Series {
  name: string;
  x: number[];
  y: (number | null)[];
}

export interface Table {
  name: string;
  columns: string[];
  rows: Cell[][];
  n_rows: number;
}

export interface Picture {
  name: string;
  file: string;
}

export interface StoredFile {
  name: string;
  bytes: number;
}

/** A run below another one, with the last value of each metric of the list. */
export interface ChildRun {
  id: string;
  number: number | null;
  name: string;
  type: string;
  status: string;
  started_at: number | null;
  ended_at: number | null;
  is_live: boolean;
  values: (number | null)[];
}

/** The newest children of a run: `n` counts all that there are. */
export interface ChildRuns {
  n: number;
  metrics: string[];
  rows: ChildRun[];
}

export interface Logged {
  /** The last event that it holds. */
  seq: number;
  values: Value[];
  series: Series[];
  tables: Table[];
  images: Picture[];
  charts: ModelFigure[];
  files: StoredFile[];
  n_files: number;
  /** The end of the log, in saved outputs. */
  lines?: LogLine[];
  /** The newest child runs, in saved outputs. */
  children?: ChildRuns;
}

/** Answers about what a run logged. */
export interface LoggedSource {
  logged(): Promise<Logged>;
  children(): Promise<ChildRuns>;
  /** Address of a stored file; empty where there is none to download from. */
  stored(name: string): string;
}
