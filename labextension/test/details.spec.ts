import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { summary } from '../src/details/columns';
import { ComputeView } from '../src/details/compute';
import { DatasetView } from '../src/details/dataset';
import { number } from '../src/details/histogram';
import { ModelView } from '../src/details/model';
import { RUN } from './fixtures';
import { content, FakePage, SCRIPT } from './panelfixtures';

let page: FakePage;
let view: { node: HTMLElement; dispose(): void };

const settle = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(0));
const all = (selector: string): HTMLElement[] =>
  [...view.node.querySelectorAll<HTMLElement>(selector)].filter(node => !node.closest('[hidden]'));
const texts = (selector: string): string[] => all(selector).map(node => node.textContent ?? '');
const button = (name: string): HTMLElement => all('button').find(node => node.textContent === name)!;
const rows = (table: string): string[][] =>
  all(`table[aria-label="${table}"] tbody tr`).map(row => [...row.children].map(cell => cell.textContent ?? ''));

async function press(name: string): Promise<void> {
  button(name).click();
  await settle();
}

async function send(): Promise<void> {
  all('.nba-ask')[0]!.dispatchEvent(new Event('submit', { cancelable: true }));
  await settle();
}

beforeEach(() => {
  vi.useFakeTimers();
  page = new FakePage();
});
afterEach(() => {
  view.dispose();
  vi.useRealTimers();
});

describe('a dataset', () => {
  beforeEach(async () => {
    const made = new DatasetView('d-2', page.doings('/w'));
    view = made;
    document.body.replaceChildren(made.node);
    await made.show('d-2');
    await settle();
  });

  it('says what it is', () => {
    expect(texts('h2')).toEqual(['heart']);
    expect(texts('.nba-detailshead p')[0]).toContain('299 rows × 2 columns');
    expect(texts('.nba-description')).toEqual(['From the clinic.']);
    expect(texts('.nba-tags li')).toEqual(['area: care']);
  });

  it('shows its columns, with how their values lie', () => {
    expect(rows('Columns')).toEqual([
      ['age', 'int64', '9 (3.0 %)', '47', '40 … 60 … 95', expect.stringContaining('40 to 67.5: 200')],
      [SCRIPT, 'str', '0', '2', 'yes, no', expect.stringContaining('yes: 200')]
    ]);
    expect(view.node.querySelector('script')).toBeNull();
    expect(all('.nba-histogram rect')).toHaveLength(4);
  });

  it('finds columns by name and type', () => {
    const filter = all('input[type=search]')[0] as HTMLInputElement;
    filter.value = 'INT';
    filter.dispatchEvent(new Event('input'));
    expect(rows('Columns').map(cells => cells[0])).toEqual(['age']);
    expect(texts('.nba-tools span')).toEqual(['1 column']);
  });

  it('shows its first rows, and what is missing in them', async () => {
    await press('First rows');
    expect(rows('First rows')).toEqual([
      ['1', '75', '<b>yes</b>'],
      ['2', 'missing', 'no']
    ]);
  });

  it('shows another version when it is chosen', async () => {
    await press('Versions (2)');
    expect(rows('Versions').map(cells => cells.slice(0, 2))).toEqual([['2', '299'], ['1', '200']]);
    await press('1');
    expect(page.things.asked.slice(-2)).toEqual(['dataset d-1', 'content d-1']);
    expect((all('select')[0] as HTMLSelectElement).value).toBe('d-1');
    await press('Insert code');
    expect(page.done[0]).toContain('version=1');
  });

  it('knows where it comes from, and what was made with it', async () => {
    await press('Lineage');
    expect(texts('.nba-lineage li')).toEqual(['/data/heart.csv', 'then take 299']);
    await press('AutoML_5f0c9d6e');
    await press('heart-model');
    expect(page.done).toEqual([
      `run nbautoml:open-run {"run":"${RUN}"}`,
      'run nbautoml:open-model {"model":"heart-model"}'
    ]);
  });

  it('says why its content cannot be shown, and tries again', async () => {
    await press('Versions (2)');
    vi.spyOn(page.things, 'content').mockRejectedValueOnce(new Error('The file is gone.'));
    await press('1');
    await press('Columns');
    expect(texts('p.nba-error')).toEqual(['The file is gone.']);
    await press('Try again');
    expect(rows('Columns')).toHaveLength(2);
  });

  it('is no longer there under its name when that was taken off', async () => {
    await press('Unregister all versions…');
    page.things.held = { ...page.things.held, name: '' };
    await send();
    expect(page.things.asked).toContain('unregister d-2');
    expect(texts('.nba-notice')[0]).toContain('heart is no longer registered (2 versions).');
    expect(texts('h2')).toEqual(['d-2']);
  });
});

describe('a model', () => {
  let made: ModelView;

  beforeEach(async () => {
    made = new ModelView('heart-model', page.doings('/w'));
    view = made;
    document.body.replaceChildren(made.node);
    await made.show(null);
    await settle();
  });

  it('begins with its newest version', () => {
    expect(page.things.asked).toEqual(['model heart-model', 'version heart-model 2']);
    expect(rows('Versions').map(cells => [cells[0], cells[3], cells[6]])).toEqual([
      ['2', 'AUC_weighted 0.9100', 'stage: trial'],
      ['1', 'AUC_weighted 0.9100', 'stage: trial']
    ]);
  });

  it('has files, metrics and columns', async () => {
    await press('Files');
    expect(rows('Files')).toEqual([['outputs/model.pkl', '12 KB']]);
    expect(all('a')[0]?.getAttribute('href')).toBe('/file/heart-model/2/outputs/model.pkl');
    await press('Metrics');
    expect(rows('Metrics')).toEqual([['AUC_weighted', '0.9100', ''], ['log_loss', '0.3000', 'less is better']]);
    await press('Columns');
    expect(texts('p')).toContain('Takes 1 column, predicts DEATH_EVENT (classification)');
  });

  it('says in which stage it is, and which names stand for it', async () => {
    page.things.details = { stage: 'Production', aliases: ['champion'] };
    await made.show(null);
    expect(texts('.nba-detailshead p')[0]).toContain('Production · champion · registered');
  });

  it('shows its history as a picture whose boxes lead on', async () => {
    await press('Lineage');
    const boxes = [...made.node.querySelectorAll<SVGGElement>('.nba-lineagebox')];
    expect(boxes.map(box => box.getAttribute('role'))).toEqual(['link', null, 'link']);
    expect(boxes[0]!.querySelectorAll('text')[1]!.textContent).toBe('<b>heart</b>');
    expect(boxes[0]!.querySelector('b')).toBeNull();
    boxes[0]!.dispatchEvent(new MouseEvent('click'));
    boxes[2]!.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
    boxes[2]!.dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }));
    await settle();
    expect(page.done).toEqual([
      `run nbautoml:open-run {"run":"${RUN}"}`,
      'run nbautoml:open-deployment {"deployment":"live"}'
    ]);
    expect(made.node.querySelectorAll('.nba-lineageline').length).toBe(2);
  });

  it('is downloaded, and leads to its run', async () => {
    await press('Download');
    await press('Open its run');
    expect(page.done).toEqual(['save /archive/heart-model/2', `run nbautoml:open-run {"run":"${RUN}"}`]);
  });

  it('shows the version before when one was deleted', async () => {
    await press('Delete version…');
    await send();
    expect(page.things.asked.slice(-3)).toEqual(['delete heart-model 2', 'model heart-model', 'version heart-model 1']);
    expect(texts('.nba-notice')[0]).toContain('Version 2 of heart-model is deleted.');
    expect((all('select')[0] as HTMLSelectElement).value).toBe('1');
  });

  it('has nothing to do any more when the last version is gone', async () => {
    page.things.versions = [2];
    await press('Delete version…');
    await send();
    expect(texts('.nba-notice').join()).toContain("No model is called 'heart-model'.");
    expect(texts('.nba-actionbar .nba-buttons button')).toEqual([]);
  });

  it('tells an error below the buttons', async () => {
    page.things.refusal = new Error('The store is locked.');
    await press('Delete version…');
    await send();
    expect(texts('.nba-actionbar .nba-error')[0]).toContain('The store is locked.');
    expect(rows('Versions')).toHaveLength(2);
  });

  it('changes its words', async () => {
    await press('Edit description and tags…');
    (all('textarea')[0] as HTMLTextAreaElement).value = 'good';
    await send();
    expect(page.things.asked).toContain('change model heart-model 2 {"description":"good"}');
    expect(document.activeElement?.textContent).toBe('Edit description and tags…');
  });

  it('from a file has neither run nor metrics', async () => {
    page.things.details = { run_id: null, parent_id: null, metric: null, score: null, metrics: {}, schema: null };
    await made.show(null);
    expect(texts('.nba-detailshead p')[0]).toContain('from a file');
    expect(button('Open its run')).toBeUndefined();
    await press('Metrics');
    expect(texts('[role=tabpanel]')[0]).toContain('registered from a file');
    await press('Insert code');
    expect(page.done[0]).toContain('trust=False');
  });
});

describe('a compute target', () => {
  let made: ComputeView;

  beforeEach(async () => {
    made = new ComputeView('big', page.doings('/w'));
    view = made;
    document.body.replaceChildren(made.node);
    await made.show();
  });

  it('shows its nodes, whatever they are called', () => {
    expect(texts('h2')).toEqual(['big']);
    expect(rows('Nodes')).toEqual([[SCRIPT, 'idle', '4', '8.0 GB', '1']]);
  });

  it('is stopped, and can be started then', async () => {
    await press('Stop…');
    await send();
    expect(page.things.asked).toContain('stop big');
    expect(texts('[role=tabpanel]')[0]).toContain('No nodes now');
    expect(button('Start')).toBeDefined();
  });

  it('shows the log of the cluster and of its nodes', async () => {
    await press('Log');
    expect(texts('pre')).toEqual(['big has begun\n']);
    const chooser = all('select')[0] as HTMLSelectElement;
    chooser.value = 'node-1';
    chooser.dispatchEvent(new Event('change'));
    await settle();
    expect(texts('pre')).toEqual(['node-1 has begun\n']);
  });

  it('without a process has no log to ask for', async () => {
    page.things.target = { ...page.things.target, is_started: null, scale: null };
    await made.show();
    await press('Log');
    expect(texts('pre')[0]).toContain('no process of its own');
    expect(page.things.asked).not.toContain('log big');
  });
});

describe('a column in a few words', () => {
  const [age] = content().profile.columns;

  it('has ends and middle of numbers, days of dates, the commonest of words', () => {
    expect(summary({ ...age!, kind: 'date', min: '2020-01-01T00:00:00', max: '2021-05-01T00:00:00' })).toBe('2020-01-01 … 2021-05-01');
    expect(summary({ ...age!, kind: 'empty', min: null, max: null, top: [] })).toBe('');
  });
});

describe('a number of the data', () => {
  it('is read as it is, unless that takes too many digits', () => {
    expect([263358.03, 454000, 0.00001234, 0, -1.5, 1e20].map(value => number(value, 10))).toEqual([
      '263,358.03',
      '454,000',
      '0.00001234',
      '0',
      '-1.5',
      '1.000e+20'
    ]);
  });
});
