/** An explanation as the server sends it; `docs/howto/explanations.md` says what it means. */

export type Cell = string | number | boolean | null;
/** A class, or a number. */
export type Label = string | number | null;

export interface Feature {
  name: string;
  /** How a raw column is read: number, boolean, date, category or text. */
  kind?: string;
  /** Columns that an engineered feature is made of. */
  of?: string[];
  /** Mean absolute contribution to the answers. */
  size: number | null;
  /** Loss of score when it is permuted. */
  loss?: number | null;
  loss_std?: number | null;
}

export interface SampleColumn {
  name: string;
  kind: string;
}

/** Rows that are explained one by one; every list has an entry for each. */
export interface Sample {
  columns: SampleColumn[];
  cells: Cell[][];
  truth: Label[];
  said: Label[];
  /** The number that contributions sum to, and what it is in words. */
  output: (number | null)[];
  told: string[];
  held_out: Label[] | null;
  held_out_output: (number | null)[] | null;
  contributions: (number | null)[][];
  /** What the columns that are not shown add together. */
  rest: (number | null)[];
  base: (number | null)[];
}

export interface Dependence {
  name: string;
  ordered: boolean;
  values: Label[];
  outputs: { name: string; mean: (number | null)[] }[];
  curves: (number | null)[][];
}

export interface Cohort {
  column: string;
  part: string;
  rows: number;
  score: number | null;
  error: number | null;
}

export interface Explanation {
  schema: number;
  n: number;
  pipeline: string;
  task: string;
  label: string;
  classes: string[];
  metric: { name: string; maximize: boolean };
  score: number | null;
  made_at: number;
  seconds: number;
  notes: string[];
  held_out: boolean;
  scored_rows: number;
  explained_rows: number;
  how: string;
  raw: Feature[];
  engineered: Feature[];
  sample: Sample;
  dependence: Dependence[];
  cohorts: Cohort[];
}

export type ExplanationState = 'none' | 'waiting' | 'running' | 'failed' | 'canceled' | 'done';

export interface ExplanationAnswer {
  n: number;
  state: ExplanationState;
  text: string;
  explanation: Explanation | null;
}

/** What a model says of one row. */
export interface Said {
  prediction: Label;
  probabilities?: Record<string, number | null>;
}

export interface WhatIfAnswer {
  before: Said;
  after: Said;
}

/** What the tab asks of the server. */
export interface ExplanationSource {
  explanation(n: number): Promise<ExplanationAnswer>;
  explain(n: number): Promise<ExplanationAnswer>;
  whatIf(n: number, row: number, changes: Record<string, Cell>): Promise<WhatIfAnswer>;
}
