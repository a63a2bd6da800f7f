import { describe, expect, it } from 'vitest';

import { applyFrame, fromFull, isFull } from '../src/runview/model';
import { frame, full, header, trial } from './fixtures';

describe('reducer', () => {
  it('takes in changed rows and header keys', () => {
    const [state, outcome] = applyFrame(
      fromFull(full()),
      frame(10, 12, { header: { n_done: 3 }, trials: [trial(2, 0.95)] })
    );
    expect(outcome).toBe('applied');
    expect(state.seq).toBe(12);
    expect(state.header.n_done).toBe(3);
    expect(state.header.title).toBe('heart-failure');
    expect(state.trials.get(2)?.score).toBe(0.95);
    expect(state.trials.size).toBe(3);
  });

  it('ignores a frame that it has seen', () => {
    const before = fromFull(full());
    expect(applyFrame(before, frame(9, 10, { trials: [trial(7)] }))).toEqual([before, 'old']);
  });

  it('takes in a frame that overlaps: rows are whole', () => {
    const [state, outcome] = applyFrame(fromFull(full()), frame(4, 11, { trials: [trial(1, 0.91)] }));
    expect(outcome).toBe('applied');
    expect(state.trials.size).toBe(3);
    expect(state.trials.get(1)?.score).toBe(0.91);
  });

  it('sees a gap and changes nothing', () => {
    const before = fromFull(full());
    expect(applyFrame(before, frame(11, 12))).toEqual([before, 'gap']);
  });

  it('ignores frames of another run', () => {
    const before = fromFull(full());
    expect(applyFrame(before, { ...frame(10, 11), run: 'other' })[1]).toBe('old');
  });

  it('does not change the state that it was given', () => {
    const before = fromFull(full());
    applyFrame(before, frame(10, 11, { header: { n_done: 9 }, trials: [trial(5)] }));
    expect(before.trials.has(5)).toBe(false);
    expect(before.header.n_done).toBe(2);
  });

  it('replaces guardrails only when they come', () => {
    const rail = { name: 'g', state: 'Alerted', description: 'd', details: [] };
    const [withRail] = applyFrame(fromFull(full()), frame(10, 11, { guardrails: [rail] }));
    const [after] = applyFrame(withRail, frame(11, 12));
    expect(after.guardrails).toEqual([rail]);
  });

  it('ends the same in whichever frames a thousand trials come', () => {
    const apply = (step: number): unknown => {
      let state = fromFull(full({ seq: 0, trials: [] }));
      for (let n = 0; n < 1000; n += step) {
        const rows = Array.from({ length: step }, (_, i) => trial(n + i));
        [state] = applyFrame(state, frame(n, n + step, { trials: rows }));
      }
      return [...state.trials.values()];
    };
    expect(apply(1)).toEqual(apply(250));
  });

  it('reads the points that a saved output keeps of other trials', () => {
    const series = {
      families: ['KNN', 'SVM'],
      states: ['Completed' as const, 'Failed' as const],
      points: [[7, 0.7, 0, 0], [8, null, 1, 1]] as [number, number | null, number, number][]
    };
    const state = fromFull(full({ series }));
    expect(state.trials.get(7)).toMatchObject({ score: 0.7, family: 'KNN', status: 'Completed', partial: true });
    expect(state.trials.get(8)).toMatchObject({ score: null, family: 'SVM', status: 'Failed' });
    expect(state.trials.size).toBe(5);
  });

  it('knows a run from other content', () => {
    expect(isFull(full())).toBe(true);
    for (const other of [null, 3, 'x', {}, { run_id: 'x' }, { ...full(), trials: null }, { ...full(), header: null }]) {
      expect(isFull(other)).toBe(false);
    }
  });

  it('keeps missing numbers missing', () => {
    const state = fromFull(full({ header: header({ best: null, progress: null }), trials: [trial(0, null)] }));
    expect(state.trials.get(0)?.score).toBeNull();
  });
});
