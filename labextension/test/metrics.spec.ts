import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Metrics } from '../src/runview/metrics';
import { fromFull } from '../src/runview/model';
import { FakePlotter, FakeTransport, figure, full, header, trial } from './fixtures';

let transport: FakeTransport;
let plotter: FakePlotter;
let tab: Metrics;

const settle = async (): Promise<void> => void (await vi.waitFor(() => Promise.resolve()));
const state = (changes = {}) => fromFull(full(changes));

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = tab.node.querySelector<T>(selector);
  if (!found) {
    throw new Error(`nothing matches ${selector}`);
  }
  return found;
}

const models = (): HTMLSelectElement => find<HTMLSelectElement>('select[aria-label="Model"]');
const charts = (): HTMLSelectElement => find<HTMLSelectElement>('select[aria-label="Chart"]');
const titles = (select: HTMLSelectElement): string[] => [...select.options].map(o => o.textContent ?? '');
const message = (): string => find('[role="status"]').textContent ?? '';

function pick(select: HTMLSelectElement, value: string): void {
  select.value = value;
  select.dispatchEvent(new Event('change'));
}

beforeEach(() => {
  transport = new FakeTransport();
  transport.figures = [figure('roc'), figure('lift')];
  transport.known = { metrics: { accuracy: 0.87654, log_loss: null } };
  plotter = new FakePlotter();
  tab = new Metrics(transport, plotter);
  document.body.replaceChildren(tab.node);
});

describe('the metrics of a model', () => {
  it('are not fetched while nobody looks', async () => {
    tab.update(state());
    await settle();
    expect(transport.asked).toEqual([]);
    tab.setOpen(true);
    await settle();
    expect(transport.asked).toContain('charts 1');
  });

  it('are those of the best model until another one is chosen', async () => {
    tab.setOpen(true);
    tab.update(state());
    await settle();
    tab.update(state({ header: header({ best: { n: 0, score: 0.95, std: null, pipeline: 'x' } }) }));
    await settle();
    pick(models(), '1');
    await settle();
    tab.update(state({ header: header({ best: { n: 0, score: 0.95, std: null, pipeline: 'x' } }) }));
    await settle();
    expect(transport.asked.filter(what => what.startsWith('charts'))).toEqual(['charts 1', 'charts 0', 'charts 1']);
    expect(models().value).toBe('1');
  });

  it('follow the leaderboard', async () => {
    tab.setOpen(true);
    tab.update(state());
    tab.select(0);
    await settle();
    expect(models().value).toBe('0');
    tab.select(null);
    expect(models().value).toBe('best');
  });

  it('list finished models only, the best first', () => {
    tab.setOpen(true);
    tab.update(state());
    expect(titles(models())).toEqual([
      'best: 1 LightGBM',
      '1 StandardScalerWrapper, LightGBM 0.9000',
      '0 StandardScalerWrapper, LightGBM 0.8000'
    ]);
  });

  it('are drawn with the chart that is chosen, also for the next model', async () => {
    tab.setOpen(true);
    tab.update(state());
    await settle();
    expect(titles(charts())).toEqual(['ROC', 'LIFT']);
    pick(charts(), 'lift');
    tab.select(0);
    await settle();
    expect(charts().value).toBe('lift');
    expect(plotter.drawn[plotter.drawn.length - 1]).toBe(transport.figures[1]?.figure);
    expect(find('.nba-canvas').getAttribute('aria-label')).toBe('LIFT. How to read lift.');
  });

  it('show numbers, and how sure they are', async () => {
    transport.confidence = { accuracy: [0.8, 0.9] };
    tab.setOpen(true);
    tab.update(state());
    await settle();
    const rows = [...tab.node.querySelectorAll('.nba-numbers > div')].map(row => row.textContent);
    expect(rows).toEqual(['accuracy0.8765 0.8000 to 0.9000', 'log_loss–']);
  });

  it('can be saved, and as a page from the server', async () => {
    tab.setOpen(true);
    tab.update(state());
    await settle();
    find<HTMLButtonElement>('button[title="Save the chart as PNG"]').click();
    await settle();
    expect(plotter.saved).toEqual([`${state().runId}_1_roc.png`]);
    expect(find('a[download]').getAttribute('href')).toBe('/page/1/roc');
  });

  it('say what went wrong, and are asked for again later', async () => {
    transport.refusal = new Error('The server is gone.');
    tab.setOpen(true);
    tab.update(state());
    await settle();
    expect(message()).toBe('The server is gone.');
    transport.refusal = null;
    tab.update(state());
    await settle();
    expect(message()).toBe('');
    plotter.refusal = new Error('no script');
    pick(charts(), 'lift');
    await settle();
    expect(message()).toBe('The chart cannot be drawn: no script');
  });

  it('wait for a first model', async () => {
    tab.setOpen(true);
    tab.update(state({ trials: [], header: header({ best: null }) }));
    await settle();
    expect(message()).toBe('No model is finished yet.');
    expect(find('.nba-canvas').hidden).toBe(true);
  });

  it('show names as text', async () => {
    const name = '<img src=x onerror=alert(1)>';
    tab.setOpen(true);
    tab.update(state({ trials: [trial(1, 0.9, { name })], header: header({ best: { n: 1, score: 0.9, std: null, pipeline: name } }) }));
    await settle();
    expect(tab.node.querySelector('img')).toBeNull();
    expect(titles(models())[1]).toContain(name);
  });

  it('do without a plotter: the numbers are shown', async () => {
    tab = new Metrics(transport, null);
    tab.setOpen(true);
    tab.update(state());
    await settle();
    expect(find('.nba-canvas').hidden).toBe(true);
    expect(find('.nba-numbers').textContent).toContain('accuracy');
  });

  it('give back what a drawing holds', () => {
    tab.dispose();
    expect(plotter.nCleared).toBe(1);
  });
});
