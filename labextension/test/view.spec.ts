import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { allExtras } from '../src/extras';
import { RunView } from '../src/runview/view';
import { FakeTransport, frame, full, header, trial } from './fixtures';

let transport: FakeTransport;
let view: RunView;

function open(changes = {}): HTMLElement {
  transport = new FakeTransport();
  view = new RunView(full(changes), transport, null, allExtras);
  document.body.replaceChildren(view.node);
  return view.node;
}

function hear(changes = {}): void {
  transport.listener?.onFull(full(changes));
  vi.advanceTimersByTime(20);
}

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = view.node.querySelector<T>(selector);
  if (!found) {
    throw new Error(`nothing matches ${selector}`);
  }
  return found;
}

function button(text: string): HTMLButtonElement {
  const found = [...view.node.querySelectorAll('button')].find(b => b.textContent === text);
  if (!found) {
    throw new Error(`no button says ${text}`);
  }
  return found;
}

const isShown = (node: Element): boolean => node.closest('[hidden]') === null;
const rows = (): HTMLElement[] => [...view.node.querySelectorAll<HTMLElement>('.nba-trials tbody tr[data-n]')];
const numbers = (): number[] => rows().map(row => Number(row.dataset.n));
const settle = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(20));

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'requestAnimationFrame', 'cancelAnimationFrame', 'performance', 'Date'] }));
afterEach(() => {
  view.dispose();
  vi.useRealTimers();
});

describe('following a run', () => {
  it('shows what is saved at once, and frames as they come', () => {
    open();
    expect(numbers()).toEqual([1, 0, 2]);
    transport.listener?.onFrame(frame(10, 11, { trials: [trial(2, 0.95)], header: { best: { n: 2, score: 0.95, std: null, pipeline: 'x' } } }));
    vi.advanceTimersByTime(20);
    expect(numbers()).toEqual([2, 1, 0]);
    expect(rows()[0]?.textContent).toContain('best');
  });

  it('asks once for everything when frames are missing, and catches up', () => {
    open();
    transport.listener?.onFrame(frame(12, 13));
    transport.listener?.onFrame(frame(13, 14));
    expect(transport.nAskedAgain).toBe(1);
    hear({ seq: 14, trials: [trial(0), trial(1), trial(2), trial(3)] });
    transport.listener?.onFrame(frame(16, 17));
    expect(transport.nAskedAgain).toBe(2);
    expect(rows()).toHaveLength(4);
  });

  it('never goes back to an older state', () => {
    open({ seq: 20 });
    hear({ seq: 5, trials: [] });
    view.offer(full({ seq: 6, trials: [] }));
    vi.advanceTimersByTime(20);
    expect(rows()).toHaveLength(3);
  });

  it('asks from its last event, or from the start when rows are missing', () => {
    open();
    expect(transport.listener?.lastSeq()).toBe(10);
    view.dispose();
    open({ series: { families: ['KNN'], states: ['Completed'], points: [[9, 0.4, 0, 0]] } });
    expect(transport.listener?.lastSeq()).toBe(0);
  });

  it('shows badges and no buttons until the server speaks of the run', () => {
    open();
    expect(isShown(button('Stop'))).toBe(false);
    hear();
    expect(isShown(button('Stop'))).toBe(true);
    transport.listener?.onConnection(false);
    expect(isShown(button('Stop'))).toBe(false);
    const badges = [...view.node.querySelectorAll('.nba-badge:not([hidden])')].map(b => b.textContent);
    expect(badges[0]).toBe('not connected');
    expect(badges[1]).toMatch(/^snapshot from /);
  });

  it('explains why a run cannot be followed', () => {
    open();
    transport.listener?.onError({ code: 'not_allowed', message: 'Not on the list.', hint: 'Open it once.' });
    expect(find('.nba-badge').title).toBe('Not on the list. Open it once.');
  });

  it('lets time pass only while it is connected', () => {
    open();
    const before = find('.nba-line').textContent;
    vi.advanceTimersByTime(5000);
    expect(find('.nba-line').textContent).toBe(before);
    hear();
    vi.advanceTimersByTime(5000);
    expect(find('.nba-line').textContent).toContain('0:46 elapsed');
  });

  it('lets go of everything', () => {
    open();
    view.dispose();
    expect(transport.isDisposed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('asking the run', () => {
  it('stops after one question', async () => {
    open();
    hear();
    button('Stop').click();
    expect(transport.requests).toEqual([]);
    expect(document.activeElement).toBe(button('Stop run'));
    button('Stop run').click();
    await settle();
    expect(transport.requests).toEqual([{ kind: 'cancel' }]);
    expect(button('Stopping…').disabled).toBe(true);
  });

  it('keeps running when told so', () => {
    open();
    hear();
    button('Stop').click();
    button('Keep running').click();
    expect(isShown(button('Stop'))).toBe(true);
    expect(transport.requests).toEqual([]);
  });

  it('says why a request failed, and lets it be tried again', async () => {
    open();
    hear();
    transport.refusal = new Error('The run has ended.');
    button('Stop').click();
    button('Stop run').click();
    await settle();
    expect(find('.nba-message').textContent).toBe('The run has ended.');
    expect(button('Stop').disabled).toBe(false);
  });

  it('asks for minutes and for an early end', async () => {
    open();
    hear();
    button('+ 5 min').click();
    await settle();
    button('Finish now').click();
    await settle();
    expect(transport.requests).toEqual([{ kind: 'add_minutes', minutes: 5 }, { kind: 'finish_now' }]);
    expect(button('Finishing…').disabled).toBe(true);
  });

  it('pauses and goes on, and time stands still meanwhile', async () => {
    open();
    hear();
    button('Pause').click();
    await settle();
    expect(button('Pause').disabled).toBe(true);
    hear({ seq: 11, header: header({ status: 'Paused', paused_at: 1040, now: 1100 }) });
    expect(find('.nba-line').textContent).toContain('about 4:20 left');
    expect(button('Resume').disabled).toBe(false);
    button('Resume').click();
    await settle();
    expect(transport.requests).toEqual([{ kind: 'pause' }, { kind: 'resume' }]);
    hear({ seq: 12, header: header({ status: 'Finalizing' }) });
    expect(isShown(button('Pause'))).toBe(false);
  });

  it('offers no minutes without a deadline, and nothing after the end', () => {
    open();
    hear({ header: header({ deadline: null }) });
    expect(isShown(button('+ 5 min'))).toBe(false);
    hear({ seq: 11, header: header({ status: 'Completed', is_live: false }) });
    expect(isShown(button('Stop'))).toBe(false);
  });
});

describe('leaderboard', () => {
  const many = Array.from({ length: 1000 }, (_, n) => trial(n));

  it('keeps at most a hundred rows in the page', () => {
    open({ trials: many });
    expect(rows()).toHaveLength(100);
    expect(find('.nba-found').textContent).toBe('1 to 100 of 1,000 models');
    button('Next').click();
    expect(numbers()[0]).toBe(899);
    expect(find('.nba-found').textContent).toBe('101 to 200 of 1,000 models');
  });

  it('keeps its nodes when one of a thousand trials changes', () => {
    open({ trials: many });
    const [point, row] = [find('.nba-dots [data-n="500"]'), find('tr[data-n="999"]')];
    transport.listener?.onFrame(frame(10, 11, { trials: [trial(500, 9)] }));
    vi.advanceTimersByTime(20);
    expect(numbers().slice(0, 2)).toEqual([500, 999]);
    expect(find('.nba-dots [data-n="500"]')).toBe(point);
    expect(find('tr[data-n="999"]')).toBe(row);
  });

  it('sorts by a column, says so, and turns round', () => {
    open();
    const [number] = [...view.node.querySelectorAll<HTMLElement>('th')];
    number?.querySelector('button')?.click();
    expect(numbers()).toEqual([0, 1, 2]);
    expect(number?.getAttribute('aria-sort')).toBe('ascending');
    number?.querySelector('button')?.click();
    expect(numbers()).toEqual([2, 1, 0]);
    expect(number?.getAttribute('aria-sort')).toBe('descending');
  });

  it('filters as one types', () => {
    open({ trials: [trial(0), trial(1, 0.5, { name: 'KNN', family: 'KNN' })] });
    const filter = find<HTMLInputElement>('input[type=search]');
    filter.value = 'knn';
    filter.dispatchEvent(new Event('input'));
    expect(numbers()).toEqual([1]);
    expect(find('.nba-found').textContent).toBe('1 of 2 models');
  });

  it('moves with arrows and opens with Enter', async () => {
    open();
    transport.known = { params: { depth: 3 } };
    rows()[0]?.focus();
    const press = (key: string): void => void document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    press('ArrowDown');
    expect(document.activeElement).toBe(rows()[1]);
    expect(rows().map(row => row.tabIndex)).toEqual([-1, 0, -1]);
    press('Enter');
    await settle();
    expect(rows()[1]?.getAttribute('aria-expanded')).toBe('true');
    expect(find('.nba-details').textContent).toContain('depth3');
    press('Enter');
    expect(view.node.querySelector('.nba-details')).toBeNull();
  });

  it('opens the row of a clicked point, on whichever page it is', async () => {
    open({ trials: many });
    find('.nba-dots [data-n="3"]').dispatchEvent(new MouseEvent('click', { bubbles: true }));
    await settle();
    expect(numbers()).toContain(3);
    expect(find('tr[data-n="3"]').getAttribute('aria-expanded')).toBe('true');
    expect(find('.nba-ring').getAttribute('visibility')).toBe('visible');
  });

  it('marks the best and shows errors in place of scores', () => {
    open({ trials: [trial(1, 0.9), trial(2, null, { status: 'Failed', error: 'ValueError: no' })] });
    expect(isShown(find('tr[data-n="1"] .nba-tag'))).toBe(true);
    expect(find('tr[data-n="2"]').textContent).toContain('ValueError: no');
    expect(find('tr[data-n="2"]').classList.contains('nba-bad')).toBe(true);
  });
});

describe('text stays text', () => {
  const evil = '<img src=x onerror="alert(1)"><script>alert(2)</script>';

  it('in every place where names come from outside', async () => {
    const node = open({
      header: header({ title: evil, text: evil, label: evil, dataset: evil, status: evil, reason: evil, ends: evil,
        metric: { name: evil, maximize: true }, compute: { name: evil, workers: 1, busy: 1, memory_bytes: 1 } }),
      trials: [trial(0, 0.5, { name: evil, family: evil }), trial(1, null, { status: 'Failed', error: evil, family: evil })],
      guardrails: [{ name: evil, state: evil, description: evil, details: [{ [evil]: evil }] }]
    });
    transport.known = { params: { [evil]: evil }, metrics: { [evil]: 1 }, error_full: evil };
    transport.listener?.onError({ code: evil, message: evil, hint: evil });
    rows()[1]?.click();
    await settle();
    expect(node.textContent).toContain(evil);
    expect(node.querySelector('img, script')).toBeNull();
  });
});

describe('accessibility', () => {
  it('has a progress bar with its value', () => {
    open();
    const bar = find('[role=progressbar]');
    expect(bar.getAttribute('aria-valuenow')).toBe('20');
    expect(bar.getAttribute('aria-valuetext')).toContain('Iteration 3 of 60');
    hear({ seq: 11, header: header({ progress: null, deadline: null, max_iterations: null }) });
    expect(bar.hasAttribute('aria-valuenow')).toBe(false);
  });

  it('has tabs that arrows move between', () => {
    open();
    const [models, metrics, data] = [...view.node.querySelectorAll<HTMLElement>('[role=tab]')];
    expect(models?.getAttribute('aria-selected')).toBe('true');
    models?.focus();
    for (const tab of [models, metrics]) {
      tab?.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
    }
    expect(data?.getAttribute('aria-selected')).toBe('true');
    expect(document.activeElement).toBe(data);
    expect(isShown(find('.nba-guardrails'))).toBe(true);
    expect(data?.textContent).toBe('Data (1)');
  });

  it('keeps open what was opened of the guardrails', () => {
    const rail = { name: 'g', state: 'Alerted', description: 'd', details: [{ a: 1 }] };
    open({ guardrails: [rail] });
    find<HTMLDetailsElement>('details').open = true;
    hear({ seq: 11, guardrails: [{ ...rail, description: 'new' }] });
    expect(find<HTMLDetailsElement>('details').open).toBe(true);
    expect(find('details').textContent).toContain('new');
  });

  it('labels the chart for those who cannot see it', () => {
    open();
    expect(find('svg').getAttribute('aria-label')).toContain('best 0.9000 at iteration 1');
  });
});

describe('another metric', () => {
  const select = (): HTMLSelectElement => find<HTMLSelectElement>('select[aria-label="Metric"]');
  const scores = (): string[] => rows().map(row => row.querySelector('.nba-number')?.textContent ?? '');

  async function choose(name: string): Promise<void> {
    select().dispatchEvent(new Event('focus'));
    await settle();
    select().value = name;
    select().dispatchEvent(new Event('change'));
    await settle();
  }

  it('is shown in place of the primary one, in its own direction', async () => {
    open();
    transport.values = { metrics: ['AUC_weighted', 'log_loss'], maximize: false, scores: [[0, 0.2], [1, 0.4]] };
    await choose('log_loss');
    expect(numbers()).toEqual([0, 1, 2]);
    expect(scores()).toEqual(['0.2000', '0.4000', '']);
    expect(find('th[aria-sort="ascending"]').textContent).toContain('log_loss');
    await choose('AUC_weighted');
    expect(numbers()).toEqual([1, 0, 2]);
    expect(scores()).toEqual(['0.9000', '0.8000', '']);
  });

  it('is asked for again while the run goes on, at most once a second', async () => {
    open();
    transport.values = { metrics: ['AUC_weighted', 'log_loss'], maximize: false, scores: [[0, 0.2]] };
    await choose('log_loss');
    const before = transport.asked.length;
    transport.values = { ...transport.values, scores: [[0, 0.2], [1, 0.1]] };
    hear({ seq: 11 });
    hear({ seq: 12 });
    await vi.advanceTimersByTimeAsync(1100);
    expect(transport.asked.length - before).toBeLessThanOrEqual(2);
    expect(numbers()[0]).toBe(1);
  });

  it('gives way to the primary one when the server does not answer', async () => {
    open();
    transport.values = { metrics: ['AUC_weighted', 'log_loss'], maximize: false, scores: [[0, 0.2]] };
    select().dispatchEvent(new Event('focus'));
    await settle();
    transport.refusal = new Error('gone');
    await choose('log_loss');
    expect(numbers()).toEqual([1, 0, 2]);
    expect(select().value).toBe('AUC_weighted');
  });
});

describe('two models side by side', () => {
  it('show what differs, and who is ahead in which metric', async () => {
    open();
    vi.spyOn(transport, 'details').mockImplementation(async n => ({
      ...trial(n),
      name: `model ${n}`,
      params: { depth: n, rate: 0.1 },
      metrics: { accuracy: 0.5 + n / 10, log_loss: 1 - n / 10, f1: null },
      minimized: ['log_loss'],
      fold_scores: [],
      error_full: ''
    }));
    rows()[1]?.click();
    await settle();
    const others = find<HTMLSelectElement>('select[aria-label="Compare with"]');
    expect([...others.options].map(option => option.value)).toEqual(['', '1', '2']);
    others.value = '1';
    others.dispatchEvent(new Event('change'));
    await settle();
    const lines = [...find('table[aria-label="Comparison"]').querySelectorAll('tbody tr')];
    expect(lines.map(line => [...line.children].map(cell => cell.textContent))).toEqual([
      ['Pipeline', 'model 0', 'model 1'],
      ['depth', '0', '1'],
      ['rate', '0.1', '0.1'],
      ['accuracy', '0.5000', '0.6000 (better)'],
      ['log_loss', '1.0000', '0.9000 (better)'],
      ['f1', '–', '–']
    ]);
    expect(lines[2]?.className).toBe('nba-alike');
  });
});

describe('an ensemble that is the best', () => {
  it('says why a single model may show a higher score', () => {
    open({ trials: [trial(0, 0.91), trial(1, 0.9, { ensemble: true })], header: header({ best: { n: 1, score: 0.9, std: null, pipeline: 'VotingEnsemble' } }) });
    const [first, second] = rows().map(row => row.querySelector<HTMLElement>('.nba-tag'));
    expect([first?.hidden, first?.title]).toEqual([true, '']);
    expect(second?.title).toContain('flatters');
  });
});
