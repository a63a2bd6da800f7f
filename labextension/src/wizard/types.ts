/** The form's shapes, as the server sends them. */

import type { ComputeItem, DatasetItem, WorkspaceItem } from '../panel/types';

export type Kind = 'number' | 'text' | 'flag' | 'choice' | 'combo' | 'several' | 'column' | 'columns' | 'class' | 'compute';

/** Values under one heading: what is sent, and what is shown. */
export interface Choices {
  readonly title: string;
  readonly words: readonly (readonly [value: string, label: string])[];
}

/** One field, as the declaration of the settings has it. */
export interface FieldSpec {
  readonly name: string;
  readonly title: string;
  readonly doc: string;
  readonly kind: Kind;
  readonly unit: string;
  readonly group: string;
  readonly takes: string;
  /** Whether no run starts without it. */
  readonly is_needed: boolean;
  /** By task: the value when it is not given, and what can be chosen. */
  readonly default: Readonly<Record<string, unknown>>;
  readonly choices: Readonly<Record<string, readonly Choices[]>>;
}

export interface SectionSpec {
  readonly name: string;
  readonly title: string;
  readonly fields: readonly FieldSpec[];
  /** Fields that are folded away at first. */
  readonly more: readonly FieldSpec[];
}

export interface FormSpec {
  readonly tasks: readonly string[];
  readonly sections: readonly SectionSpec[];
  /** Types that a column can be given, and the word that leaves it out. */
  readonly purposes: readonly string[];
  readonly drop: string;
  /** Ends of the names of files that can be read. */
  readonly suffixes: readonly string[];
  readonly suggested: Readonly<Record<string, string | number | boolean>>;
}

export interface FileItem {
  readonly path: string;
  readonly bytes: number;
}

export interface WizardOptions {
  readonly form: FormSpec;
  readonly workspace: WorkspaceItem | null;
  readonly workspaces: readonly WorkspaceItem[];
  readonly datasets: readonly Omit<DatasetItem, 'id' | 'tags'>[];
  readonly computes: readonly Pick<ComputeItem, 'name' | 'kind'>[];
  readonly files: readonly FileItem[];
}

export interface TableColumn {
  readonly name: string;
  readonly dtype: string;
  readonly kind: string;
  readonly missing: number;
  readonly unique: number;
  readonly min: number | string | null;
  readonly max: number | string | null;
  readonly mean: number | null;
  readonly histogram: readonly number[];
  readonly top: readonly (readonly [value: string, count: number])[];
  /** What a run would use it as, and why. */
  readonly purpose: string;
  readonly reason: string;
  /** What it would be as the label. */
  readonly task: string | null;
  readonly task_reason: string;
  readonly can_predict: boolean;
  readonly label_note: string;
}

export interface TableProfile {
  readonly name: string;
  readonly rows: number | null;
  readonly seen_rows: number;
  readonly n_columns: number;
  readonly columns: readonly TableColumn[];
  readonly head: readonly (readonly string[])[];
  readonly label: { readonly name: string; readonly reason: string };
}

export type FieldValue = string | boolean | readonly string[];

/** What the form says of a run. */
export interface DraftRequest {
  readonly source: string;
  readonly folder: string;
  readonly form: {
    readonly settings: Readonly<Record<string, FieldValue>>;
    readonly columns: Readonly<Record<string, string>>;
    readonly experiment: string;
  };
}

export interface Problem {
  readonly field: string;
  readonly message: string;
}

export interface DraftAnswer {
  readonly setup: string | null;
  readonly cell: string | null;
  readonly python: string | null;
  readonly problems: readonly Problem[];
  readonly experiment: string;
}

export interface StartedRun {
  readonly run_id: string;
  readonly workspace: string;
}

/** What the form asks of the server. */
export interface WizardSource {
  options(workspace: string, folder: string): Promise<WizardOptions>;
  data(workspace: string, folder: string, source: string): Promise<TableProfile>;
  code(workspace: string, draft: DraftRequest): Promise<DraftAnswer>;
  start(workspace: string, draft: DraftRequest): Promise<StartedRun>;
}
