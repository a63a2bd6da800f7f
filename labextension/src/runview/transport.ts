/** What the run view needs of the world: events of a run, details of a trial, requests. */

import type { DeploySource } from '../deploy/types';
import type { ExplanationSource } from './explanation/types';
import type { LoggedSource } from './logged/types';
import type { ModelCharts } from './plotter';
import type {
  Frame,
  Full,
  ModelVersion,
  RunCode,
  RunColumns,
  RunError,
  RunLog,
  Scores,
  TrialDetails
} from './types';

export type RequestKind = 'cancel' | 'finish_now' | 'add_minutes' | 'pause' | 'resume';

export interface Disposable {
  dispose(): void;
}

export interface RunListener {
  /** Number of the last event that the listener has taken in; asked for on each connection. */
  lastSeq(): number;
  onFull(full: Full): void;
  onFrame(frame: Frame): void;
  onError(error: RunError): void;
  onConnection(isConnected: boolean): void;
}

export interface Subscription extends Disposable {
  /** Ask for everything again, because frames were missed. */
  askAgain(): void;
}

/** Answers about one run, and what can be done with it. */
export interface RunSource extends LoggedSource, ExplanationSource, DeploySource {
  request(kind: RequestKind, minutes?: number): Promise<void>;
  columns(): Promise<RunColumns>;
  code(): Promise<RunCode>;
  /** One metric of all trials; an empty name asks for the names only. */
  scores(metric: string): Promise<Scores>;
  /** What the log says since an event. */
  log(after: number): Promise<RunLog>;
  details(n: number): Promise<TrialDetails>;
  charts(n: number): Promise<ModelCharts>;
  script(n: number): Promise<{ script: string }>;
  register(n: number, name: string, description: string): Promise<ModelVersion>;
  /**
   * Addresses of files to keep: the leaderboard, a chart as a page, a stored file of a model, or all of them.
   * Empty where there is nothing to download from.
   */
  leaderboard(): string;
  chartPage(n: number, name: string): string;
  file(n: number, name: string): string;
  archive(n: number): string;
}

export interface Transport {
  watch(runId: string, workspace: string, listener: RunListener): Subscription;
  of(runId: string, workspace: string): RunSource;
}
