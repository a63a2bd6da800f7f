/** What the chart draws, worked out from the state without touching the DOM. */

import { hasFailed, wasStopped } from './ranking';
import { lastIteration, niceStep, scoreRange, ticks, tickLabel, type Range } from './scale';
import type { RunState } from './model';
import type { Trial } from './types';

export const MARGIN = { left: 52, right: 14, top: 10, bottom: 26 } as const;

export type PointKind = 'score' | 'failed' | 'stopped' | 'running';

export interface Point {
  readonly trial: Trial;
  readonly kind: PointKind;
  readonly x: number;
  readonly y: number;
}

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface ChartData {
  readonly points: readonly Point[];
  readonly bestPath: string;
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
  readonly range: Range;
}

export function chartData(state: RunState, width: number, height: number): ChartData {
  const maximize = state.header.metric?.maximize ?? true;
  const trials = [...state.trials.values()].sort((a, b) => a.n - b.n);
  const range = scoreRange(scoresOf(trials), maximize);
  const newest = trials[trials.length - 1]?.n ?? 0;
  const last = lastIteration(newest, state.header.max_iterations, state.header.is_live);
  const inner = { w: width - MARGIN.left - MARGIN.right, h: height - MARGIN.top - MARGIN.bottom };
  const x = (n: number): number => round(MARGIN.left + 6 + ((inner.w - 12) * n) / last);
  const y = (v: number): number => {
    const share = (v - range.low) / (range.high - range.low);
    return round(MARGIN.top + inner.h * (1 - Math.min(1, Math.max(0, share))));
  };
  const base = round(MARGIN.top + inner.h - 6);
  const points = trials.map(trial => point(trial, x, y, base));
  return {
    points,
    bestPath: bestPath(points, maximize),
    xTicks: xTicks(last, x),
    yTicks: yTicks(range, y),
    range
  };
}

export function scoresOf(trials: Iterable<Trial>): number[] {
  const scores: number[] = [];
  for (const trial of trials) {
    if (trial.status === 'Completed' && typeof trial.score === 'number') {
      scores.push(trial.score);
    }
  }
  return scores;
}

function point(trial: Trial, x: (n: number) => number, y: (v: number) => number, base: number): Point {
  if (trial.status === 'Completed' && typeof trial.score === 'number') {
    return { trial, kind: 'score', x: x(trial.n), y: y(trial.score) };
  }
  const kind = hasFailed(trial) ? 'failed' : wasStopped(trial) ? 'stopped' : 'running';
  return { trial, kind, x: x(trial.n), y: base };
}

/** A step line through the best score so far. */
function bestPath(points: readonly Point[], maximize: boolean): string {
  let best: number | null = null;
  let path = '';
  for (const { trial, kind, x, y } of points) {
    const score = trial.score;
    if (kind !== 'score' || typeof score !== 'number') {
      continue;
    }
    if (best === null) {
      path = `M${x} ${y}`;
      best = score;
    } else if (maximize ? score > best : score < best) {
      path += `H${x}V${y}`;
      best = score;
    } else {
      path += `H${x}`;
    }
  }
  return path.replace(/(?:H[\d.]+)+(?=H)/g, '');
}

function xTicks(last: number, x: (n: number) => number): Tick[] {
  const step = Math.max(1, niceStep(last / 6));
  const whole = step === 2.5 ? 5 : step;
  return ticks({ low: 0, high: last }, last / whole).map(n => ({ at: x(n), label: String(Math.round(n)) }));
}

function yTicks(range: Range, y: (v: number) => number): Tick[] {
  const step = niceStep((range.high - range.low) / 5);
  return ticks(range, 5).map(v => ({ at: y(v), label: tickLabel(v, step) }));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
