import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { LoggedView, allParts } from '../src/runview/logged/parts';
import { valueText } from '../src/runview/logged/values';
import { isLogged } from '../src/runview/model';
import { runSection } from '../src/panel/sections/runs';
import { viewOf } from '../src/views';
import { child, FakePlotter, FakeTransport, frame, full, header, logged } from './fixtures';

const SCRIPT = { kind: 'script', work: 'train.py --rate 0.1', metric: null, deadline: null, max_iterations: null, best: null, text: 'Running', progress: null } as const;

let transport: FakeTransport;
let plotter: FakePlotter;
let view: LoggedView;
const opened = vi.fn();

function open(changes = {}, head = {}): HTMLElement {
  transport = new FakeTransport();
  plotter = new FakePlotter();
  view = new LoggedView(full({ trials: [], header: header({ ...SCRIPT, ...head }), ...changes }), transport, allParts(plotter, opened));
  document.body.replaceChildren(view.node);
  return view.node;
}

const settle = async (ms = 20): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));

function connect(): void {
  transport.listener?.onFull(full({ trials: [], header: header(SCRIPT) }));
}

function tab(name: string): HTMLButtonElement {
  const found = [...view.node.querySelectorAll<HTMLButtonElement>('[role=tab]')].find(b => b.textContent?.startsWith(name));
  if (!found) {
    throw new Error(`no tab ${name}`);
  }
  return found;
}

function panelOf(name: string): HTMLElement {
  const found = document.getElementById(tab(name).getAttribute('aria-controls') ?? '');
  if (!found) {
    throw new Error(`no panel of ${name}`);
  }
  return found;
}

const buttons = (): string[] =>
  [...view.node.querySelectorAll('.nba-buttons button')].filter(b => b.closest('[hidden]') === null).map(b => b.textContent ?? '');

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'requestAnimationFrame', 'cancelAnimationFrame', 'performance', 'Date'] }));
afterEach(() => {
  view?.dispose();
  vi.useRealTimers();
});

describe('which view', () => {
  it('is told by the kind of the run; older outputs are of AutoML runs', () => {
    expect([isLogged(full()), isLogged(full({ header: header({ kind: 'automl' }) }))]).toEqual([false, false]);
    expect(isLogged(full({ header: header({ kind: 'interactive' }) }))).toBe(true);
    const made = viewOf(full({ trials: [], header: header(SCRIPT) }), new FakeTransport(), new FakePlotter(), opened);
    expect(made.node.getAttribute('aria-label')).toBe('Run');
    made.dispose();
  });
});

describe('the view of what was logged', () => {
  it('shows a saved output before anything is asked', async () => {
    open({ logged: logged({ lines: [{ seq: 9, time: 1000, level: 'INFO', text: 'epoch 3' }] }) });
    await settle();
    expect(panelOf('Metrics').textContent).toContain('0.9123');
    expect(panelOf('Logs').textContent).toContain('epoch 3');
    expect(transport.asked).toEqual([]);
  });

  it('asks when the server answers, and again when something happened, once a second at most', async () => {
    open();
    connect();
    await settle();
    expect(transport.asked).toEqual(['logged']);
    transport.wasLogged = logged({ seq: 12, values: [{ name: 'accuracy', value: 0.95, n: 2 }] });
    transport.listener?.onFrame(frame(10, 11));
    transport.listener?.onFrame(frame(11, 12));
    await settle();
    expect(transport.asked).toHaveLength(1);
    await settle(1000);
    expect(transport.asked).toHaveLength(2);
    expect(panelOf('Metrics').textContent).toContain('last of 2');
    await settle(5000);
    expect(transport.asked).toHaveLength(2);
  });

  it('says why nothing comes, and tries again', async () => {
    open();
    transport.refusal = new Error('The store is gone.');
    connect();
    await settle();
    expect(view.node.textContent).toContain('The store is gone.');
    transport.refusal = null;
    await settle(11_000);
    expect(view.node.textContent).not.toContain('The store is gone.');
  });

  it('has a tile a name, a chart a series, and tables', async () => {
    open({ logged: logged() });
    await settle();
    const tiles = [...view.node.querySelectorAll('.nba-tiles > div')].map(tile => tile.textContent);
    expect(tiles).toEqual(['accuracy0.9123', 'loss0.2500last of 3', 'solverlbfgs']);
    expect(plotter.drawn[0]?.data[0]).toMatchObject({ type: 'scatter', x: [0, 1, 2], y: [1, 0.5, 0.25] });
    const cells = [...panelOf('Metrics').querySelectorAll('table td')].map(cell => cell.textContent);
    expect(cells).toEqual(['1', '0.8000', '2', '']);
    expect(panelOf('Metrics').textContent).toContain('and 3 rows more');
  });

  it('draws a chart again only when its numbers changed', async () => {
    open({ logged: logged() });
    await settle();
    view.offer(full({ seq: 11, trials: [], header: header(SCRIPT), logged: logged() }));
    await settle();
    expect(plotter.drawn).toHaveLength(1);
    const longer = { name: 'loss', x: [0, 1], y: [1, 2] };
    view.offer(full({ seq: 12, trials: [], header: header(SCRIPT), logged: logged({ series: [longer] }) }));
    await settle();
    expect(plotter.drawn).toHaveLength(2);
  });

  it('draws some of many charts; a filter finds the others', async () => {
    const series = Array.from({ length: 40 }, (_, i) => ({ name: `m${i}`, x: [0, 1], y: [i, i] }));
    open({ logged: logged({ series, charts: [] }) });
    await settle();
    expect(plotter.drawn).toHaveLength(24);
    expect(panelOf('Metrics').textContent).toContain('and 16 more');
    const filter = panelOf('Metrics').querySelector<HTMLInputElement>('input[type=search]');
    if (filter) {
      filter.value = 'm39';
      filter.dispatchEvent(new Event('input'));
    }
    await settle();
    expect(plotter.drawn).toHaveLength(25);
  });

  it('shows pictures from the server, and files to save, names as text', async () => {
    open({ logged: logged() });
    tab('Images').click();
    const image = panelOf('Images').querySelector('img');
    expect([image?.getAttribute('src'), image?.alt]).toEqual(['/stored/roc.png', 'roc']);
    expect(tab('Images').textContent).toBe('Images (1)');
    tab('Outputs').click();
    const link = panelOf('Outputs').querySelector('a');
    expect(link?.getAttribute('href')).toBe('/stored/outputs/model <1>.pkl');
    expect(link?.textContent).toBe('outputs/model <1>.pkl');
    expect(link?.hasAttribute('download')).toBe(true);
  });

  it('offers Stop alone, and time where the run has a limit', () => {
    open();
    connect();
    expect(buttons()).toEqual(['Stop']);
    view.dispose();
    open({}, { deadline: 1300 });
    transport.listener?.onFull(full({ trials: [], header: header({ ...SCRIPT, deadline: 1300 }) }));
    expect(buttons()).toEqual(['+ 5 min', 'Stop']);
  });

  it('stops the run after a question', async () => {
    open();
    connect();
    const press = (text: string): void =>
      [...view.node.querySelectorAll<HTMLButtonElement>('.nba-buttons button')].find(b => b.textContent === text)?.click();
    press('Stop');
    press('Stop run');
    await settle();
    expect(transport.requests).toEqual([{ kind: 'cancel' }]);
  });

  it('shows the whole reason of a failure as text', () => {
    const reason = 'exit code 1: KeyError\nTraceback <b>';
    const node = open({}, { status: 'Failed', is_live: false, reason });
    const pre = node.querySelector('.nba-reason');
    expect([pre?.textContent, pre?.hasAttribute('hidden')]).toEqual([reason, false]);
  });

  it('says so when nothing is logged', async () => {
    open({ logged: logged({ values: [], series: [], tables: [], images: [], files: [], n_files: 0 }) });
    await settle();
    expect(panelOf('Metrics').textContent).toContain('Nothing is logged yet.');
    expect(panelOf('Images').textContent).toContain('run.log_image');
    expect(panelOf('Outputs').textContent).toContain('./outputs');
  });

  it('gives back connection and charts', () => {
    open({ logged: logged() });
    view.dispose();
    expect(transport.isDisposed).toBe(true);
    expect(plotter.nCleared).toBe(1);
  });
});

describe('child runs', () => {
  const rows = (): HTMLElement[] => [...panelOf('Child runs').querySelectorAll<HTMLElement>('tbody tr')];
  const names = (): (string | undefined)[] => rows().map(row => row.children[1]?.textContent ?? undefined);
  const sortBy = (text: string): void =>
    [...panelOf('Child runs').querySelectorAll<HTMLElement>('thead button')].find(b => b.textContent?.startsWith(text))?.click();
  const withRuns = (...runs: ReturnType<typeof child>[]) => ({ n: runs.length, metrics: ['loss'], rows: runs });

  async function openWith(children: ReturnType<typeof withRuns>): Promise<void> {
    open();
    transport.below = children;
    connect();
    await settle();
    tab('Child runs').click();
  }

  it('have a tab only where there are some, which arrows pass by', async () => {
    open({ logged: logged({ children: { n: 0, metrics: [], rows: [] } }) });
    await settle();
    expect(tab('Child runs').hidden).toBe(true);
    tab('Metrics').focus();
    tab('Metrics').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
    expect(tab('Images').getAttribute('aria-selected')).toBe('true');
    view.offer(full({ seq: 11, trials: [], header: header(SCRIPT), logged: logged({ children: withRuns(child(0)) }) }));
    expect([tab('Child runs').hidden, tab('Child runs').textContent]).toEqual([false, 'Child runs (1)']);
  });

  it('show name, kind, state, start, duration and the last values, as text', async () => {
    await openWith(withRuns(child(3, { name: '<b>x</b>' }), child(1, { status: 'Failed', values: [null] })));
    const texts = rows().map(row => [...row.children].map(cell => cell.textContent ?? ''));
    expect(texts[0]?.slice(0, 4)).toEqual(['3', '<b>x</b>', 'by hand', 'Completed']);
    expect(texts[0]?.slice(5)).toEqual(['12.5 s', '0.3000']);
    expect(texts[1]?.slice(3, 4)).toEqual(['Failed']);
    expect(rows()[0]?.querySelector('b')).toBeNull();
  });

  it('are sorted by what is clicked; what has no value stays last', async () => {
    await openWith(withRuns(child(2, { values: [null] }), child(1), child(0, { values: [0.9] })));
    expect(names()).toEqual(['depth 2', 'depth 1', 'depth 0']);
    sortBy('loss');
    expect(names()).toEqual(['depth 1', 'depth 0', 'depth 2']);
    sortBy('loss');
    expect(names()).toEqual(['depth 0', 'depth 1', 'depth 2']);
    const sorted = panelOf('Child runs').querySelector('th[aria-sort=descending]');
    expect(sorted?.textContent).toContain('loss');
  });

  it('open with a click on the row, or Enter on its name', async () => {
    opened.mockClear();
    await openWith(withRuns(child(7)));
    rows()[0]?.querySelector('button')?.click();
    rows()[0]?.click();
    expect(opened.mock.calls).toEqual([['run-7', '/home/me/project'], ['run-7', '/home/me/project']]);
  });

  it('are asked for again while the run goes on; a row that says the same stays', async () => {
    await openWith(withRuns(child(0), child(1, { is_live: true, ended_at: null })));
    const [first, second] = [rows()[0], rows()[1]];
    const asked = transport.nAskedChildren;
    transport.below = withRuns(child(0), child(1, { values: [0.7] }));
    await settle(3000);
    expect(transport.nAskedChildren).toBeGreaterThan(asked);
    expect(rows()[0]?.textContent).toContain('0.7000');
    expect([rows()[0], rows()[1]]).toEqual([first, second]);
  });

  it('are asked for less often while nobody looks', async () => {
    await openWith(withRuns(child(0, { is_live: true, ended_at: null })));
    tab('Metrics').click();
    const asked = transport.nAskedChildren;
    await settle(10_500);
    expect(transport.nAskedChildren - asked).toBe(2);
  });

  it('are a hundred at a time, of a thousand; a filter finds the others', async () => {
    await openWith(withRuns(...Array.from({ length: 1000 }, (_, i) => child(i))));
    expect(rows()).toHaveLength(100);
    [...panelOf('Child runs').querySelectorAll('button')].find(b => b.textContent === 'Show more')?.click();
    expect(rows()).toHaveLength(200);
    const filter = panelOf('Child runs').querySelector('input');
    if (filter) {
      filter.value = 'depth 417';
      filter.dispatchEvent(new Event('input'));
    }
    expect(names()).toEqual(['depth 417']);
  });
});

describe('words', () => {
  it('writes whole numbers plainly, others as scores, and what is missing', () => {
    expect([valueText(3), valueText(0.5), valueText('a'), valueText(null)]).toEqual(['3', '0.5000', 'a', 'missing']);
  });

  it('lets a script in the panel only be stopped', () => {
    const run = { id: 'e_1', experiment: 'e', name: 'train.py', type: 'azureml.scriptrun', status: 'Running', reason: '', is_live: true, created_at: 1, ended_at: null, metric: 'loss', score: 0.5, best: null };
    const catalog = { workspace: { name: 'w', root: '/w', store: 'SQLite', runs: 1, experiments: 1 }, runs: [run], datasets: [], models: [], computes: [], deployments: [], pipelines: [], endpoints: [], schedules: [] };
    const [item] = runSection.items(catalog, new Map());
    expect(item?.actions.map(action => action.label)).toEqual(['Open', 'Insert code', 'Copy id', 'Stop…']);
    expect(item?.note).toContain('loss 0.5000');
  });
});
