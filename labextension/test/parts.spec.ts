import { describe, expect, it } from 'vitest';

import { chartData, scoresOf } from '../src/runview/chartdata';
import { Announcer } from '../src/runview/announcer';
import * as format from '../src/runview/format';
import { fromFull } from '../src/runview/model';
import { matches, metricOrder, nextOrder, rank } from '../src/runview/ranking';
import { whyNoScore } from '../src/runview/row';
import { lastIteration, niceStep, scoreRange, tickLabel, ticks } from '../src/runview/scale';
import { tiles } from '../src/runview/tiles';
import { elapsed, left, progress, ServerClock } from '../src/runview/timing';
import { tooltipText } from '../src/runview/tooltip';
import { full, header, trial } from './fixtures';

const running = (n: number) => trial(n, null, { status: 'Running', folds: [2, 5] });
const failed = (n: number) => trial(n, null, { status: 'TimeLimit', error: 'Too slow.', folds: [2, 5] });

describe('ranking', () => {
  it('puts the best first, then running, then failed', () => {
    const ranked = rank([failed(0), trial(1, 0.7), running(2), trial(3, 0.9)], metricOrder(true));
    expect(ranked.map(t => t.n)).toEqual([3, 1, 2, 0]);
  });

  it('turns round for a metric that is minimised, and failed ones stay last', () => {
    const ranked = rank([failed(0), trial(1, 0.7), trial(3, 0.2)], metricOrder(false));
    expect(ranked.map(t => t.n)).toEqual([3, 1, 0]);
  });

  it('is stable by number', () => {
    expect(rank([trial(5, 0.5), trial(2, 0.5)], metricOrder(true)).map(t => t.n)).toEqual([2, 5]);
  });

  it('keeps rows without a value last, whichever way round', () => {
    const rows = [trial(0, 1, { seconds: null }), trial(1, 1, { seconds: 3 }), trial(2, 1, { seconds: 1 })];
    expect(rank(rows, { column: 'seconds', isDescending: false }).map(t => t.n)).toEqual([2, 1, 0]);
    expect(rank(rows, { column: 'seconds', isDescending: true }).map(t => t.n)).toEqual([1, 2, 0]);
  });

  it('starts a column its natural way and turns it on the second click', () => {
    const first = nextOrder(metricOrder(true), 'seconds', true);
    expect(first).toEqual({ column: 'seconds', isDescending: false });
    expect(nextOrder(first, 'seconds', true).isDescending).toBe(true);
    expect(nextOrder(first, 'score', false)).toEqual({ column: 'score', isDescending: false });
  });

  it('filters by every word', () => {
    expect(matches(failed(7), 'lightgbm slow')).toBe(true);
    expect(matches(failed(7), '#7')).toBe(true);
    expect(matches(failed(7), 'lightgbm knn')).toBe(false);
    expect(matches(failed(7), '  ')).toBe(true);
  });
});

describe('chart', () => {
  it('draws a step line through the best so far, the metric its way round', () => {
    const state = fromFull(full({ trials: [trial(0, 0.5), trial(1, 0.8), trial(2, 0.6), trial(3, 0.9)] }));
    expect(chartData(state, 640, 210).bestPath.match(/V/g)).toHaveLength(2);
    const down = fromFull(full({ header: header({ metric: { name: 'log_loss', maximize: false } }), trials: [...state.trials.values()] }));
    expect(chartData(down, 640, 210).bestPath.match(/V/g)).toBeNull();
  });

  it('shows failed, stopped and running trials without a score', () => {
    const broken = { ...failed(3), status: 'Failed' as const };
    const state = fromFull(full({ trials: [trial(0, 0.5), failed(1), running(2), broken] }));
    const kinds = chartData(state, 640, 210).points.map(p => p.kind);
    expect(kinds).toEqual(['score', 'stopped', 'running', 'failed']);
    expect(scoresOf(state.trials.values())).toEqual([0.5]);
  });

  it('gives finite places for no, one and equal scores', () => {
    for (const trials of [[], [trial(0, 0.5)], [trial(0, 0), trial(1, 0)]]) {
      const { points, yTicks } = chartData(fromFull(full({ trials })), 640, 210);
      expect(points.every(p => Number.isFinite(p.x) && Number.isFinite(p.y))).toBe(true);
      expect(yTicks.length).toBeGreaterThan(1);
    }
  });

  it('lays out a thousand trials in a few milliseconds', () => {
    const state = fromFull(full({ trials: Array.from({ length: 1000 }, (_, n) => trial(n)) }));
    chartData(state, 640, 210);
    const start = performance.now();
    chartData(state, 640, 210);
    expect(performance.now() - start).toBeLessThan(50);
  });

  it('does not let one bad score press the others into a line', () => {
    const scores = [...Array.from({ length: 20 }, (_, i) => 0.9 + i / 1000), -50];
    expect(scoreRange(scores, true).low).toBeGreaterThan(0.8);
    const errors = [...Array.from({ length: 20 }, (_, i) => 0.1 + i / 1000), 900];
    expect(scoreRange(errors, false).high).toBeLessThan(0.2);
  });

  it('has round ticks', () => {
    expect(ticks({ low: 0.81, high: 0.95 }, 6)).toEqual([0.825, 0.85, 0.875, 0.9, 0.925, 0.95]);
    expect(niceStep(0.3)).toBe(0.5);
    expect(tickLabel(0.9, 0.025)).toBe('0.900');
    expect(tickLabel(1234567, 1000)).toBe('1.2e+6');
  });

  it('has an axis to the limit when that is near, else some room', () => {
    expect(lastIteration(3, 60, true)).toBe(60);
    expect(lastIteration(3, 1000, true)).toBe(10);
    expect(lastIteration(23, 60, false)).toBe(23);
    expect(lastIteration(0, null, false)).toBe(1);
  });
});

describe('timing', () => {
  it('counts elapsed time until the end', () => {
    expect(elapsed(header(), 1041)).toBe(41);
    expect(elapsed(header({ ended_at: 1100 }), 5000)).toBe(100);
    expect(elapsed(header({ started_at: null }), 5000)).toBeNull();
  });

  it('takes the nearest limit', () => {
    expect(left(header({ n_done: 0 }), 1040)).toEqual({ seconds: 260, by: 'time' });
    expect(left(header({ n_done: 50, max_iterations: 60 }), 1050)).toEqual({ seconds: 10, by: 'iterations' });
    expect(left(header({ is_live: false }), 1050)).toBeNull();
    expect(left(header({ deadline: null, max_iterations: null }), 1050)).toBeNull();
  });

  it('moves progress on with time, never back', () => {
    expect(progress(header(), 1150)).toBe(0.5);
    expect(progress(header({ progress: 0.9 }), 1150)).toBe(0.9);
    expect(progress(header({ progress: null }), 1150)).toBeNull();
  });

  it('keeps the server its clock', () => {
    let local = 5;
    const clock = new ServerClock(() => local);
    clock.sync(1000);
    local += 3;
    expect(clock.now()).toBe(1003);
  });
});

describe('words', () => {
  it('writes scores, times and sizes', () => {
    expect([0.92, 123.456, 0.00001234, 98765.4, 0, null].map(format.score)).toEqual(
      ['0.9200', '123.46', '0.00001234', '9.877e+4', '0.0000', '']
    );
    expect([0.0123, 345.6, null].map(format.spread)).toEqual(['0.012', '346', '']);
    expect([41, 65, 3725].map(format.clock)).toEqual(['0:41', '1:05', '1:02:05']);
    expect([1.25, 90, undefined].map(format.duration)).toEqual(['1.3 s', '1:30', '']);
    expect([950, 6e8, 2.4e9].map(format.bytes)).toEqual(['950 B', '600 MB', '2.4 GB']);
    expect(format.shortId('AutoML_5f0c9d6e-6a34-4c5b-9d6d-0a1b2c3d4e5f')).toBe('AutoML_5f0c9d6e');
    expect(format.shortId('5b852b99-7175-43b5-904c-7968fc345adf')).toBe('5b852b99');
    expect(['my run', 'trees_1234567_9ab', 'deadbeef-2'].map(id => format.shortId(id))).toEqual(['my run', 'trees_1234567_9ab', 'deadbeef-2']);
  });

  it('says the time of today, and the day of another', () => {
    const now = new Date(2026, 4, 3, 12, 0);
    expect(format.moment(now.getTime() / 1000, now)).not.toContain('2026');
    expect(format.moment(now.getTime() / 1000 - 5 * 86400, now)).toContain('2026');
  });

  it('fills the tiles', () => {
    expect(tiles(header({ n_failed: 3, n_stopped: 2, n_done: 23 })).map(t => [t.value, t.note])).toEqual([
      ['0.9000', '± 0.012 · iteration 1'],
      ['23', '20 done · 2 stopped early · 1 failed'],
      ['local', '2 workers busy · 600 MB'],
      ['299 × 13', '5 folds · 1 guardrail alert']
    ]);
    const empty = tiles(header({ best: null, compute: null, data: null, metric: null, n_done: 0, n_total: 0 }));
    expect(empty.map(t => t.value)).toEqual(['', '0', '', '']);
    expect(tiles(header({ is_live: false }))[2]?.note).toBe('2 workers · 600 MB');
  });

  it('says why there is no score', () => {
    expect(whyNoScore(running(0))).toBe('fold 3 of 5');
    expect(whyNoScore(failed(0))).toBe('Too slow. – 2 of 5 folds finished');
    expect(tooltipText(failed(0), 'auc')).toBe('Time limit: Too slow. · 1.5 s');
    expect(tooltipText(running(0), 'auc')).toBe('running, 2 of 5 folds');
    expect(tooltipText(trial(0, 0.5), 'auc')).toBe('auc 0.5000 ± 0.01 · 1.5 s');
  });
});

describe('announcer', () => {
  it('speaks at most every five seconds, and of the end at once', () => {
    let now = 0;
    const announcer = new Announcer(() => now);
    const say = (text: string, changes = {}): string => {
      announcer.update(fromFull(full({ header: header({ text, ...changes }) })));
      return announcer.node.textContent ?? '';
    };
    expect(say('one')).toContain('one');
    now = 4000;
    expect(say('two')).toContain('one');
    now = 5000;
    expect(say('three')).toContain('three. Best AUC_weighted 0.9000');
    expect(say('Completed', { is_live: false })).toContain('Completed');
  });
});
