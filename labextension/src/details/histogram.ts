import { svg } from '../runview/dom';
import { count } from '../runview/format';
import type { ColumnStatistics } from './types';

const WIDTH = 96;
const HEIGHT = 22;

/** A small chart of a column: bins of numbers and dates, else its most frequent values. */
export function histogram(column: ColumnStatistics): SVGElement | null {
  const bars = column.histogram.length
    ? column.histogram.map(bin => ({ n: bin.count, label: `${edge(column, bin.low)} to ${edge(column, bin.high)}` }))
    : column.top.map(([value, n]) => ({ n, label: value }));
  const most = Math.max(0, ...bars.map(bar => bar.n));
  if (!most) {
    return null;
  }
  const width = WIDTH / bars.length;
  const drawn = bars.map(({ n, label }, i) => {
    const height = n ? Math.max(1, (HEIGHT * n) / most) : 0;
    const place = { x: i * width, y: HEIGHT - height, width: Math.max(1, width - 1), height };
    return svg('rect', place, svg('title', {}, `${label}: ${count(n)}`));
  });
  const size = { width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}` };
  return svg('svg', { ...size, class: 'nba-histogram', role: 'img', 'aria-label': `Values of ${column.name}` }, ...drawn);
}

function edge(column: ColumnStatistics, value: number): string {
  return column.kind === 'date' ? new Date(value * 1000).toISOString().slice(0, 10) : number(value);
}

const LEAST_PLAIN = 1e-4;
const MOST_PLAIN = 1e15;

/** A number with thousands apart and at most so many digits; very large and small ones by powers. */
export function number(value: number, digits = 5): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < LEAST_PLAIN || size >= MOST_PLAIN)) {
    return value.toPrecision(4);
  }
  return value.toLocaleString('en-US', { maximumSignificantDigits: Number.isInteger(value) ? 16 : digits });
}
