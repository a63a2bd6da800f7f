/** What the run view needs of the world: events of a run, details of a trial, requests. */

import type { Frame, Full, RunError, TrialDetails } from './types';

export type RequestKind = 'cancel' | 'finish_now' | 'add_minutes';

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

export interface Transport {
  watch(runId: string, workspace: string, listener: RunListener): Subscription;
  request(runId: string, workspace: string, kind: RequestKind, minutes?: number): Promise<void>;
  details(runId: string, workspace: string, n: number): Promise<TrialDetails>;
}
