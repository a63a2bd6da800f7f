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
  const way = order.isDescending ? -1 : 1;
  const compare = (a: Trial, b: Trial): number => {
    if (order.column === 'score') {
      const group = scoreGroup(a) - scoreGroup(b);
      if (group !== 0) {
        return group;
      }
    }
    const [x, y] = [key(a, order.column), key(b, order.column)];
    if (x === null || y === null) {
      return x === y ? a.n - b.n : x === null ? 1 : -1;
    }
    return x === y ? a.n - b.n : way * (x < y ? -1 : 1);
  };
  return [...trials].sort(compare);
}

/** Every word of the filter must be in the number, name, family, state or error. */
export function matches(trial: Trial, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) {
    return true;
  }
  const text = `#${trial.n} ${trial.name} ${trial.family} ${trial.status} ${trial.error ?? ''}`.toLowerCase();
  return words.every(word => text.includes(word));
}

/** Completed trials, then running ones, then failed ones. */
function scoreGroup(trial: Trial): number {
  return trial.status === 'Completed' ? 0 : trial.status === 'Running' ? 1 : 2;
}

function key(trial: Trial, column: Column): number | string | null {
  if (column === 'name') {
    return trial.name.toLowerCase();
  }
  return trial[column] ?? null;
}
