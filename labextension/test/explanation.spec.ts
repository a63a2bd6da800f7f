import { beforeEach, describe, expect, it, vi } from 'vitest';

import { drawn } from '../src/extras';
import { dependenceFigure } from '../src/runview/explanation/dependence';
import { explorerFigure } from '../src/runview/explanation/explorer';
import { errorOf, ordered } from '../src/runview/explanation/rowview';
import { ExplanationTab } from '../src/runview/explanation/tab';
import type { ExplanationAnswer } from '../src/runview/explanation/types';
import { steps } from '../src/runview/explanation/waterfall';
import { difference, typed } from '../src/runview/explanation/whatif';
import { cellText, short, signed } from '../src/runview/explanation/words';
import { fromFull } from '../src/runview/model';
import { explanation, FakePlotter, FakeTransport, full, header } from './fixtures';

let transport: FakeTransport;
let plotter: FakePlotter;
let tab: ExplanationTab;

const settle = async (): Promise<void> => void (await vi.waitFor(() => Promise.resolve()));
const state = (changes = {}) => fromFull(full(changes));
const done = (): ExplanationAnswer => ({ n: 1, state: 'done', text: '', explanation: explanation() });

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = tab.node.querySelector<T>(selector);
  if (!found) {
    throw new Error(`nothing matches ${selector}`);
  }
  return found;
}

const message = (): string => find('[role=status]').textContent ?? '';
const button = (name: string): HTMLButtonElement => {
  const found = [...tab.node.querySelectorAll('button')].find(b => b.textContent === name);
  if (!found) {
    throw new Error(`no button ${name}`);
  }
  return found;
};
const bars = (): string[] =>
  [...find('[aria-label=Importances]').children].map(li => [...li.children].map(c => c.textContent).join('|'));

function pick(label: string, value: string): void {
  const select = find<HTMLSelectElement>(`select[aria-label="${label}"]`);
  select.value = value;
  select.dispatchEvent(new Event('change'));
}

async function open(answer: ExplanationAnswer): Promise<void> {
  transport.explained = answer;
  tab.update(state());
  tab.setOpen(true);
  await settle();
}

beforeEach(() => {
  vi.useRealTimers();
  transport = new FakeTransport();
  plotter = new FakePlotter();
  tab = new ExplanationTab(transport, drawn(plotter));
  document.body.replaceChildren(tab.node);
});

describe('the explanation of a model', () => {
  it('is not fetched while nobody looks', async () => {
    tab.update(state());
    await settle();
    expect(transport.asked).toEqual([]);
  });

  it('is that of the best model until another one is chosen', async () => {
    await open(done());
    tab.select(0);
    await settle();
    tab.update(state());
    await settle();
    expect(transport.asked).toEqual(['explanation 1', 'explanation 0']);
  });

  it('is asked for with a button where there is none, and followed', async () => {
    await open({ n: 1, state: 'none', text: '', explanation: null });
    expect(message()).toContain('not explained yet');
    expect(find('.nba-subtabs').hidden).toBe(true);
    vi.useFakeTimers();
    button('Explain this model').click();
    await vi.advanceTimersByTimeAsync(1);
    expect(message()).toContain('waiting to begin');
    transport.explained = { n: 1, state: 'running', text: 'Permuting columns: 2 of 9.', explanation: null };
    await vi.advanceTimersByTimeAsync(1600);
    expect(message()).toBe('The model is being explained. Permuting columns: 2 of 9.');
    expect(button('Explain this model').hidden).toBe(true);
    transport.explained = done();
    await vi.advanceTimersByTimeAsync(1600);
    expect(message()).toBe('');
    expect(bars().length).toBe(2);
    await vi.advanceTimersByTimeAsync(9000);
    expect(transport.asked).toEqual(['explanation 1', 'explain 1', 'explanation 1', 'explanation 1']);
  });

  it('is not followed while nobody looks', async () => {
    vi.useFakeTimers();
    transport.explained = { n: 1, state: 'running', text: '', explanation: null };
    tab.update(state());
    tab.setOpen(true);
    await vi.advanceTimersByTimeAsync(1);
    tab.setOpen(false);
    await vi.advanceTimersByTimeAsync(9000);
    expect(transport.asked).toEqual(['explanation 1']);
    tab.dispose();
  });

  it('says what went wrong', async () => {
    await open({ n: 1, state: 'failed', text: 'No memory.', explanation: null });
    expect(message()).toBe('The explanation failed. No memory.');
    transport.refusal = new Error('The server is gone.');
    tab.select(0);
    await settle();
    expect(message()).toBe('The server is gone.');
  });

  it('begins when the run has ended, so that it is looked for then', async () => {
    await open({ n: 1, state: 'none', text: '', explanation: null });
    transport.explained = done();
    tab.update(state({ header: header({ is_live: false, status: 'Completed' }) }));
    await settle();
    expect(bars().length).toBe(2);
  });

  it('waits for a first model', async () => {
    transport.explained = done();
    tab.update(state({ trials: [], header: header({ best: null }) }));
    tab.setOpen(true);
    await settle();
    expect(message()).toBe('No model is finished yet.');
    expect(transport.asked).toEqual([]);
  });

  it('tells how it was made', async () => {
    await open(done());
    const text = find('.nba-explanation > p:nth-of-type(2)').textContent ?? '';
    expect(text).toContain("the model's own sums, for 2 rows.");
    expect(text).toContain('over 200 rows that the models were not fitted on, where it is 0.9000.');
    expect(text).toContain('A note.');
  });
});

describe('importances', () => {
  it('are ranked by the measure and of the columns that are chosen', async () => {
    await open(done());
    expect(bars()).toEqual(['age||0.2', 'sex||0.1']);
    pick('Measure', 'loss');
    expect(bars()).toEqual(['sex||0.08 ± 0.02', 'age||0.05 ± 0.01']);
    pick('Columns', 'engineered');
    expect(bars()).toEqual(['age_MeanImputer||0.2']);
    expect(find('.nba-barname').title).toBe('made of age');
  });

  it('of many columns are cut, and show names as text', async () => {
    const raw = Array.from({ length: 30 }, (_, i) => ({ name: `<b>${i}</b>`, size: 30 - i }));
    await open({ ...done(), explanation: explanation({ raw }) });
    expect(bars().length).toBe(10);
    expect(tab.node.querySelector('.nba-barname b')).toBeNull();
    pick('How many', 'all');
    expect(bars().length).toBe(30);
  });

  it('of engineered features cannot be chosen where there are none', async () => {
    await open({ ...done(), explanation: explanation({ engineered: [] }) });
    expect(find<HTMLOptionElement>('option[value=engineered]').disabled).toBe(true);
  });
});

describe('rows', () => {
  it('show what is true, what is said, and how that comes about', async () => {
    await open(done());
    const facts = (): string => find('.nba-facts').textContent ?? '';
    expect(facts()).toContain('The model says yes (probability of yes: 0.8); true is yes');
    const lines = [...find('.nba-waterfall').children].map(li => li.textContent);
    expect(lines).toEqual(['before any column0.4', 'age = 60+0.3', 'sex = m+0.1', 'probability of yes0.8']);
    button('›').click();
    expect(facts()).toContain('The model says no');
    expect(find('.nba-waterfall').textContent).toContain('age = missing−0.2');
    expect(button('›').disabled).toBe(true);
  });

  it('can be ordered by how wrong the model is', () => {
    const { sample } = explanation();
    expect(ordered(sample, 'worst')).toEqual([1, 0]);
    expect(ordered(sample, 'low')).toEqual([1, 0]);
    expect(ordered(sample, 'all')).toEqual([0, 1]);
    expect(errorOf(sample, 0)).toBeLessThan(1);
    const numbers = { ...sample, truth: [5, 1], said: [5, 1], held_out: [3, 1] };
    expect(errorOf(numbers, 0)).toBe(2);
  });

  it('join what the least columns add', () => {
    const columns = Array.from({ length: 20 }, (_, i) => ({ name: `c${i}`, kind: 'number' }));
    const sample = {
      ...explanation().sample,
      columns,
      cells: [columns.map((_, i) => i)],
      contributions: [columns.map((_, i) => 20 - i)],
      rest: [2]
    };
    const told = steps(sample, 0);
    expect(told.length).toBe(13);
    expect(told[12]).toEqual({ name: 'all other columns', cell: '', by: 8 + 7 + 6 + 5 + 4 + 3 + 2 + 1 + 2 });
  });

  it('can be changed, to see what the model would say', async () => {
    await open(done());
    transport.whatIfAnswer = {
      before: { prediction: 'yes', probabilities: { no: 0.2, yes: 0.8 } },
      after: { prediction: 'no', probabilities: { no: 0.7, yes: 0.3 } }
    };
    const [age, sex] = [...tab.node.querySelectorAll<HTMLInputElement>('.nba-cells input')];
    if (!age || !sex) {
      throw new Error('no fields');
    }
    expect([age.value, sex.value]).toEqual(['60', 'm']);
    find<HTMLFormElement>('.nba-whatif form').requestSubmit();
    const said = (): string => find('.nba-whatif [role=status]').textContent ?? '';
    expect(said()).toBe('Change a cell first.');
    age.value = '20';
    sex.value = '';
    find<HTMLFormElement>('.nba-whatif form').requestSubmit();
    await settle();
    expect(transport.questions).toEqual([{ row: 0, changes: { age: 20, sex: null } }]);
    expect(said()).toBe('The prediction changes from yes to no. no: 0.2 → 0.7, yes: 0.8 → 0.3');
    button('As it was').click();
    expect(age.value).toBe('60');
    transport.refusal = new Error('Column age cannot be read.');
    age.value = 'old';
    find<HTMLFormElement>('.nba-whatif form').requestSubmit();
    await settle();
    expect(said()).toBe('Column age cannot be read.');
  });

  it('send numbers as numbers and texts as texts', () => {
    expect(typed(' 4.5 ', { name: 'a', kind: 'number' })).toBe(4.5);
    expect(typed('4', { name: 'a', kind: 'category' })).toBe('4');
    expect(typed(' ', { name: 'a', kind: 'text' })).toBeNull();
    expect(difference({ prediction: 2 }, { prediction: 2 })).toBe('The prediction stays 2.');
  });
});

describe('charts', () => {
  it('are drawn when their page is looked at', async () => {
    await open(done());
    expect(plotter.drawn.length).toBe(0);
    button('Dependence').click();
    expect(plotter.drawn.length).toBe(1);
    button('Explore').click();
    expect(plotter.drawn.length).toBe(2);
    tab.dispose();
    expect(plotter.nCleared).toBe(2);
  });

  it('follow a column: the mean, and single rows', () => {
    const [one] = explanation().dependence;
    if (!one) {
      throw new Error('no dependence');
    }
    const { data, layout } = dependenceFigure(one);
    expect(data.length).toBe(3);
    expect(data[2]).toMatchObject({ x: [20, 40], y: [0.2, 0.6], name: 'probability of yes' });
    expect(layout['showlegend']).toBe(false);
    const words = dependenceFigure({ ...one, ordered: false, values: ['a', 'b'] });
    expect(words.layout['xaxis']).toMatchObject({ type: 'category' });
  });

  it('colour rows by a class, or by a scale of numbers', () => {
    const points = { x: [1, 2, 3], y: ['a', 'b', 'a'], titles: ['x', 'y'] };
    const classes = explorerFigure({ ...points, color: ['no', 'yes', 'no'] });
    expect(classes.data.map(trace => trace['name'])).toEqual(['no', 'yes']);
    expect(classes.layout['yaxis']).toMatchObject({ type: 'category' });
    const numbers = Array.from({ length: 20 }, (_, i) => i);
    const scale = explorerFigure({ x: numbers, y: numbers, color: numbers, titles: ['x', 'y'] });
    expect(scale.data.length).toBe(1);
  });

  it('have cohorts below them', async () => {
    await open(done());
    const cells = (): string[] => [...find('[aria-label=Cohorts] tbody').querySelectorAll('td')].map(td => td.textContent ?? '');
    expect(cells()).toEqual(['20 to 40', '90', '0.9500', '10.0 %']);
    pick('Cohorts by', '#1');
    expect(cells()).toEqual(['f', '80', '–', '25.0 %']);
    pick('Cohorts by', 'worst');
    expect(cells().slice(0, 1)).toEqual(['sex: f']);
  });
});

describe('numbers', () => {
  it('are as short as they can be read', () => {
    expect([short(0.123456), short(1234567), short(3), short(null)]).toEqual(['0.1235', '1235000', '3', '–']);
    expect([signed(0.5), signed(-0.25), signed(0)]).toEqual(['+0.5', '−0.25', '0']);
    expect([cellText(null), cellText(true), cellText('a')]).toEqual(['missing', 'true', 'a']);
  });
});
