/** What is said of a step. No DOM. */

import { clock, statusWords } from '../format';
import type { Step } from './types';

const ICONS: Readonly<Record<string, string>> = { Completed: '✓', Failed: '✕', Canceled: '⊘', NotStarted: '○', NotResponding: '!', '': '' };
const ENDED: ReadonlySet<string> = new Set(['Completed', 'Failed', 'Canceled']);

/** Whether something of it may still change. */
export function isAtWork({ status }: Step): boolean {
  return status !== 'NotStarted' && !ENDED.has(status);
}

/** The run that tells of it: its own, else the one whose outputs it takes. */
export function runOf({ run, reused_from: other }: Step): string {
  return run || other || '';
}

export function icon({ status, reused_from: other }: Step): string {
  return other ? '↺' : (ICONS[status] ?? '▸');
}

export function stateWords({ status, run, reused_from: other }: Step): string {
  if (other) {
    return 'Reused';
  }
  return status === 'NotStarted' ? 'Waiting' : status === 'Canceled' && !run ? 'Skipped' : statusWords(status);
}

/** How long it took, or takes until now; empty where it has not begun. */
export function took({ started_at: began, ended_at: ended, reused_from: other }: Step, now: number): string {
  return began === undefined || other ? '' : clock(Math.max(0, (ended ?? now) - began));
}

/** The name of a step's class for people: `PythonScriptStep` is a Python script. */
export function kindWords(kind: string): string {
  return kind.replace(/Step$/, '').replace(/([a-z])([A-Z][a-z])/g, '$1 $2');
}
