/** Ranges and ticks of the chart. */

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** How far beyond the median, in units of best to median, a bad score may stretch the range. */
const MAX_STRETCH = 3;
const MIN_SCORES_TO_CLIP = 10;

/**
 * The range of scores to show. One very bad score would press all others into a line, so the bad
 * side is cut where it is far from the median; what lies beyond is drawn at the edge.
 */
export function scoreRange(scores: readonly number[], maximize: boolean): Range {
  if (!scores.length) {
    return { low: 0, high: 1 };
  }
  const sorted = [...scores].sort((a, b) => a - b);
  const at = (i: number): number => sorted[i] ?? 0;
  let [low, high] = [at(0), at(sorted.length - 1)];
  if (sorted.length >= MIN_SCORES_TO_CLIP) {
    const median = at(Math.floor(sorted.length / 2));
    const reach = MAX_STRETCH * Math.abs((maximize ? high : low) - median);
    if (reach > 0) {
      low = maximize ? Math.max(low, median - reach) : low;
      high = maximize ? high : Math.min(high, median + reach);
    }
  }
  const pad = (high - low) * 0.08 || Math.abs(high) * 0.05 || 0.5;
  return { low: low - pad, high: high + pad };
}

/** Round numbers inside a range, about `n` of them. */
export function ticks(range: Range, n: number): number[] {
  const step = niceStep((range.high - range.low) / n);
  const first = Math.ceil(range.low / step - 1e-9);
  const last = Math.floor(range.high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** The next of 1, 2, 2.5, 5, 10 times a power of ten. */
export function niceStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 2.5, 5, 10].find(f => f * power >= raw * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Tick labels with as many decimals as their step needs. */
export function tickLabel(value: number, step: number): string {
  if (Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-4)) {
    return value.toExponential(1);
  }
  const text = Number(step.toPrecision(6)).toString();
  const decimals = text.includes('.') ? text.split('.')[1]?.length ?? 0 : 0;
  return value.toFixed(Math.min(6, decimals));
}

/** The last iteration of the axis: the limit when it is near, else some room to grow. */
export function lastIteration(newest: number, limit: number | null, isLive: boolean): number {
  if (!isLive) {
    return Math.max(1, newest);
  }
  if (limit !== null && (limit <= 100 || limit <= (newest + 1) * 2)) {
    return Math.max(limit, newest, 1);
  }
  const room = Math.max(10, (newest + 1) * 1.4);
  const step = niceStep(room / 5);
  return Math.ceil(room / step) * step;
}
