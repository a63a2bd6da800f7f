/** Which trials the leaderboard shows, and in what order. */

import type { Trial } from './types';

export type Column = 'n' | 'name' | 'score' | 'seconds' | 'status';

export interface Order {
  readonly column: Column;
  readonly isDescending: boolean;
}

/** The metric's way round: the best score first. */
export function metricOrder(maximize: boolean): Order {
  return { column: 'score', isDescending: maximize };
}

/** The order after a click on a column: its natural way first, then the other way. */
export function nextOrder(order: Order, column: Column, maximize: boolean): Order {
  if (order.column === column) {
    return { column, isDescending: !order.isDescending };
  }
  return column === 'score' ? metricOrder(maximize) : { column, isDescending: false };
}

export function hasFailed(trial: Trial): boolean {
  return trial.status !== 'Completed' && trial.status !== 'Running' && !wasStopped(trial);
}

/** Ended on purpose: others were better, time was over, or somebody said so. */
export function wasStopped(trial: Trial): boolean {
  return trial.status === 'Canceled' || trial.status === 'TimeLimit';
}

/** Sort by a column; what has no value there stays last, whichever way round. Stable by number. */
export function rank(trials: Iterable<Trial>, order: Order): Trial[] {
  const compare = (a: Trial, b: Trial): number => {
    if (order.column === 'score') {
      const group = scoreGroup(a) - scoreGroup(b);
      if (group !== 0) {
        return group;
      }
    }
    return compareKeys(key(a, order.column), key(b, order.column), order.isDescending) || a.n - b.n;
  };
  return [...trials].sort(compare);
}

export type Key = number | string | null;

/** Compare values of a column; what has none stays last, whichever way round. */
export function compareKeys(x: Key, y: Key, isDescending: boolean): number {
  if (x === y) {
    return 0;
  }
  if (x === null || y === null) {
    return x === null ? 1 : -1;
  }
  return x < y === isDescending ? 1 : -1;
}

/** Whether each word of a filter is in a text. */
export function hasWords(text: string, filter: string): boolean {
  const whole = text.toLowerCase();
  return filter.toLowerCase().split(/\s+/).every(word => whole.includes(word));
}

/** Every word of the filter must be in the number, name, family, state or error. */
export function matches(trial: Trial, filter: string): boolean {
  return hasWords(`#${trial.n} ${trial.name} ${trial.family} ${trial.status} ${trial.error ?? ''}`, filter);
}

/** Completed trials, then running ones, then failed ones. */
function scoreGroup(trial: Trial): number {
  return trial.status === 'Completed' ? 0 : trial.status === 'Running' ? 1 : 2;
}

function key(trial: Trial, column: Column): Key {
  if (column === 'name') {
    return trial.name.toLowerCase();
  }
  return trial[column] ?? null;
}
