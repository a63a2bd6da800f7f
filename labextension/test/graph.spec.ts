import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { nearest, pixels } from '../src/runview/graph/pixels';
import { icon, isAtWork, kindWords, stateWords, took } from '../src/runview/graph/words';
import type { Graph, Step } from '../src/runview/graph/types';
import { applyFrame, fromFull } from '../src/runview/model';
import type { Full } from '../src/runview/types';
import { viewOf, type AnyView } from '../src/views';
import { FakePlotter, FakeTransport, frame, full, header, logged } from './fixtures';

const PIPELINE = { kind: 'pipeline', work: 'who leaves', metric: null, deadline: null, max_iterations: null, best: null, text: '1 of 4 steps done', progress: 0.25, steps: [1, 4] } as const;
/** One step, two side by side, one that waits for all three: the line from the first bends. */
const GRAPH: Graph = { places: [[0, 0.5], [1, 0], [1, 1], [2, 0.5]], lines: [[0, 1], [0, 2], [1, 3], [2, 3], [0, 3, 1.8]] };

function step(n: number, changes: Partial<Step> = {}): Step {
  return { n, name: `step ${n}`, kind: 'PythonScriptStep', status: 'NotStarted', ...changes };
}

const STEPS = [
  step(0, { name: 'fetch', status: 'Completed', reused_from: 'earlier_0', reason: 'reused: nothing changed', outputs: ['raw'] }),
  step(1, { name: 'clean <b>', status: 'Running', run: 'p_1', started_at: 1000, after: [0], inputs: ['raw'] }),
  step(2, { status: 'Failed', run: 'p_2', started_at: 1000, ended_at: 1065, reason: 'Traceback\nValueError: no', after: [0] }),
  step(3, { name: 'report', kind: 'AutoMLStep', after: [1, 2, 0] })
];

function pipeline(changes: Partial<Full> = {}, head = {}): Full {
  return full({ trials: [], steps: STEPS, graph: GRAPH, header: header({ ...PIPELINE, ...head }), ...changes });
}

describe('pixels', () => {
  it('put layers beside each other, or below each other', () => {
    const [along, down] = [pixels(GRAPH, false), pixels(GRAPH, true)];
    const [first, second] = [along.boxes[0] ?? [0, 0], along.boxes[3] ?? [0, 0]];
    expect(second[0]).toBeGreaterThan(first[0] + 2 * along.boxWidth);
    expect(second[1]).toBe(first[1]);
    const [top, bottom] = [down.boxes[0] ?? [0, 0], down.boxes[3] ?? [0, 0]];
    expect(bottom[1]).toBeGreaterThan(top[1] + 2 * down.boxHeight);
    expect(bottom[0]).toBe(top[0]);
  });

  it('hold every box and every bend', () => {
    for (const isDown of [false, true]) {
      const { boxes, width, height, boxWidth, boxHeight } = pixels(GRAPH, isDown);
      boxes.forEach(([x, y]) => expect([x >= 0, y >= 0, x + boxWidth <= width, y + boxHeight <= height]).toEqual([true, true, true, true]));
    }
    const numbers = (pixels(GRAPH, false).lines[4] ?? '').match(/[\d.]+/g)?.map(Number) ?? [];
    expect(Math.max(...numbers)).toBeLessThanOrEqual(pixels(GRAPH, false).width);
  });

  it('make boxes and gaps smaller where there is less room, down to what can be read', () => {
    const [wide, tight, tiny] = [pixels(GRAPH, false, 2000), pixels(GRAPH, false, 560), pixels(GRAPH, false, 10)];
    expect(wide.boxWidth).toBe(172);
    expect(tight.width).toBeLessThanOrEqual(560);
    expect(tiny.boxWidth).toBe(141);
  });

  it('begin a line at a box and end it at the next one', () => {
    const { lines, boxes, boxWidth, boxHeight } = pixels(GRAPH, false);
    const [[x1, y1], [x2, y2]] = [boxes[0] ?? [0, 0], boxes[1] ?? [0, 0]];
    expect(lines[0]?.startsWith(`M${x1 + boxWidth} ${y1 + boxHeight / 2}C`)).toBe(true);
    expect(lines[0]).toContain(`${x2} ${y2 + boxHeight / 2}`);
  });

  it('find the nearest box of a direction', () => {
    const { boxes } = pixels(GRAPH, false);
    expect([nearest(boxes, 0, [1, 0]), nearest(boxes, 3, [-1, 0]), nearest(boxes, 1, [0, 1])]).toEqual([1, 1, 2]);
    expect(nearest(boxes, 3, [1, 0])).toBeNull();
  });

  it('take a graph without steps', () => {
    expect(pixels({ places: [], lines: [] }, false).boxes).toEqual([]);
  });
});

describe('words of a step', () => {
  it('say how it stands, with an icon each', () => {
    expect(STEPS.map(one => [icon(one), stateWords(one)])).toEqual([['↺', 'Reused'], ['▸', 'Running'], ['✕', 'Failed'], ['○', 'Waiting']]);
    expect(stateWords(step(4, { status: 'Canceled' }))).toBe('Skipped');
    expect(stateWords(step(4, { status: 'Canceled', run: 'p_4' }))).toBe('Canceled');
    expect(STEPS.map(isAtWork)).toEqual([false, true, false, false]);
  });

  it('say how long it took, but not of what was reused', () => {
    expect(STEPS.map(one => took(one, 1041))).toEqual(['', '0:41', '1:05', '']);
  });

  it('name what it does', () => {
    expect(['PythonScriptStep', 'AutoMLStep', 'ParallelRunStep'].map(kindWords)).toEqual(['Python Script', 'AutoML', 'Parallel Run']);
  });
});

describe('the state of a pipeline', () => {
  it('takes in changed steps, in their places', () => {
    const [state] = applyFrame(fromFull(pipeline()), frame(10, 11, { steps: [step(1, { status: 'Completed' })] }));
    expect([...state.steps.values()].map(one => one.status)).toEqual(['Completed', 'Completed', 'Failed', 'NotStarted']);
    expect(state.graph).toBe(GRAPH);
  });

  it('has other steps when another graph comes', () => {
    const graph: Graph = { places: [[0, 0]], lines: [] };
    const [state] = applyFrame(fromFull(pipeline()), frame(10, 11, { steps: [step(0)], graph }));
    expect([state.steps.size, state.graph]).toEqual([1, graph]);
  });
});

/** A transport whose runs can be opened in another view. */
class Runs extends FakeTransport {
  readonly opened: string[] = [];

  override async run(runId: string): Promise<Full> {
    this.opened.push(runId);
    return full({ run_id: runId, trials: [], header: header({ kind: 'step', text: 'a step of its own', metric: null, best: null }), logged: logged() });
  }
}

let transport: Runs;
let view: AnyView;
const open = vi.fn();
const settle = async (ms = 20): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));
const boxes = (): HTMLButtonElement[] => [...view.node.querySelectorAll<HTMLButtonElement>('.nba-step')];
const card = (): HTMLElement | null => view.node.querySelector<HTMLElement>('.nba-card');
const press = (node: Element | undefined, key: string): boolean | undefined =>
  node?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));

function button(name: string): HTMLButtonElement {
  const found = [...view.node.querySelectorAll('button')].find(b => b.textContent === name);
  if (!found) {
    throw new Error(`no button ${name}`);
  }
  return found;
}

function show(changes: Partial<Full> = {}, head = {}, isConnected = true): void {
  transport = new Runs();
  view = viewOf(pipeline(changes, head), transport, new FakePlotter(), open);
  document.body.replaceChildren(view.node);
  if (isConnected) {
    transport.listener?.onFull(pipeline(changes, head));
  }
}

describe('the view of a pipeline', () => {
  beforeEach(() => {
    open.mockClear();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'requestAnimationFrame', 'cancelAnimationFrame', 'performance', 'Date'] });
  });
  afterEach(() => {
    view.dispose();
    vi.useRealTimers();
  });

  it('begins with its graph: a box a step, a line each', async () => {
    show();
    await settle();
    const tabs = [...view.node.querySelectorAll('[role=tab]')].filter(tab => !tab.closest('[hidden]')).map(tab => tab.textContent);
    expect(tabs[0]).toBe('Graph');
    expect(tabs).not.toContain('Images');
    expect(boxes().map(box => box.textContent)).toEqual([
      'fetchPython Script↺Reused',
      'clean <b>Python Script▸Running · 0:41',
      'step 2Python Script✕Failed · 1:05',
      'reportAutoML○Waiting'
    ]);
    expect(view.node.querySelectorAll('.nba-graph path')).toHaveLength(5);
    expect([...view.node.querySelectorAll('.nba-buttons button')].filter(b => !b.closest('[hidden]')).map(b => b.textContent)).toEqual(['Stop']);
  });

  it('is drawn on, box by box, as states come', async () => {
    show();
    await settle();
    const before = boxes();
    transport.listener?.onFrame(frame(10, 11, { steps: [{ ...STEPS[1]!, status: 'Completed', ended_at: 1050 }], header: { text: '2 of 4 steps done' } }));
    await settle();
    expect(boxes()).toEqual(before);
    expect(boxes()[1]?.textContent).toContain('✓Completed · 0:50');
  });

  it('moves the time of what is at work on while it is heard of', async () => {
    show();
    await settle(4000);
    expect(boxes()[1]?.textContent).toMatch(/0:4[45]/);
    transport.listener?.onConnection(false);
    await settle(4000);
    expect(boxes()[1]?.textContent).toContain('0:41');
  });

  it('moves the focus by arrows, and stops the tabulator once', async () => {
    show();
    await settle();
    expect(boxes().map(box => box.tabIndex)).toEqual([0, -1, -1, -1]);
    press(boxes()[0], 'ArrowRight');
    expect(document.activeElement).toBe(boxes()[1]);
    press(boxes()[1], 'ArrowDown');
    expect(document.activeElement).toBe(boxes()[2]);
    press(boxes()[2], 'End');
    expect(document.activeElement).toBe(boxes()[3]);
    press(boxes()[3], 'ArrowRight');
    expect(document.activeElement).toBe(boxes()[3]);
    expect(boxes().map(box => box.tabIndex)).toEqual([-1, -1, -1, 0]);
    press(boxes()[3], 'Home');
    expect(document.activeElement).toBe(boxes()[0]);
  });

  it('says of a chosen step what it reads, waits for and writes in its log', async () => {
    show();
    transport.logs = { seq: 4, lines: [{ seq: 3, time: 1, level: 'INFO', text: 'cleaned <i>7</i> rows' }] };
    await settle();
    boxes()[1]?.click();
    await settle();
    expect(boxes()[1]?.getAttribute('aria-pressed')).toBe('true');
    expect(card()?.getAttribute('aria-label')).toBe('Step clean <b>');
    expect(card()?.textContent).toContain('Waits forfetch');
    expect(card()?.textContent).toContain('Readsraw');
    expect(card()?.querySelector('pre[aria-label="End of the log"]')?.textContent).toBe('cleaned <i>7</i> rows');
    transport.logs = { seq: 5, lines: [{ seq: 5, time: 2, level: 'INFO', text: 'done' }] };
    await settle(2500);
    expect(card()?.textContent).toContain('done');
    expect(transport.asked).toContain('log 4');
    boxes()[1]?.click();
    expect(card()).toBeNull();
  });

  it('shows the whole reason of a failure', async () => {
    show();
    await settle();
    boxes()[2]?.click();
    expect(card()?.querySelector('pre[aria-label="Reason"]')?.textContent).toBe('Traceback\nValueError: no');
  });

  it('opens the view of its run inside, and takes it away again', async () => {
    show();
    await settle();
    boxes()[1]?.click();
    button('Show its run').click();
    await settle();
    expect(transport.opened).toEqual(['p_1']);
    expect(card()?.querySelector('.nbautoml-run')?.textContent).toContain('a step of its own');
    expect(button('Hide its run').getAttribute('aria-expanded')).toBe('true');
    button('Hide its run').click();
    expect(card()?.querySelector('.nbautoml-run')).toBeNull();
    button('Open in a tab').click();
    expect(open).toHaveBeenCalledWith('p_1', '/home/me/project');
  });

  it('leads from a reused step to the run whose outputs it took', async () => {
    show();
    await settle();
    boxes()[0]?.click();
    expect(card()?.textContent).toContain('reused: nothing changed');
    button('Show its run').click();
    await settle();
    expect(transport.opened).toEqual(['earlier_0']);
  });

  it('offers no run of a step that has none, nor of any without a connection', async () => {
    show();
    await settle();
    boxes()[3]?.click();
    expect(button('Show its run').hidden).toBe(true);
    show({}, {}, false);
    boxes()[1]?.click();
    expect(button('Show its run').hidden).toBe(true);
    expect(transport.asked).toEqual([]);
  });

  it('says why a run cannot be shown', async () => {
    show();
    await settle();
    transport.run = async () => {
      throw new Error('There is no such run.');
    };
    boxes()[1]?.click();
    button('Show its run').click();
    await settle();
    expect(card()?.textContent).toContain('There is no such run.');
  });

  it('closes by Escape and gives the focus back to its box', async () => {
    show();
    await settle();
    boxes()[2]?.click();
    press(button('Open in a tab'), 'Escape');
    expect(card()).toBeNull();
    expect(document.activeElement).toBe(boxes()[2]);
  });

  it('waits for a graph that is not told yet', async () => {
    show({ steps: [], graph: undefined });
    await settle();
    expect(boxes()).toEqual([]);
    transport.listener?.onFrame(frame(10, 11, { steps: STEPS, graph: GRAPH }));
    await settle();
    expect(boxes()).toHaveLength(4);
  });
});
