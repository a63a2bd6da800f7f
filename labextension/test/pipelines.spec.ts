import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ActionBar } from '../src/details/actionbar';
import { PipelineView } from '../src/details/pipeline';
import { Ask } from '../src/panel/ask';
import type { Item } from '../src/panel/item';
import { pipelineSection } from '../src/panel/sections/pipelines';
import { actionOf, catalog, endpoint, FakePage, pipelineDetails, published, schedule } from './panelfixtures';

const NOBODY = new Map();
const items = (changes: object): Item[] => pipelineSection.items(catalog(changes), NOBODY);
const labels = (item: Item | undefined): string[] => item?.actions.map(action => action.label) ?? [];

let page: FakePage;
beforeEach(() => {
  page = new FakePage();
});

describe('the section', () => {
  it('has endpoints, what is published, and schedules, each under its heading', () => {
    const found = items({ pipelines: [published()], endpoints: [endpoint()], schedules: [schedule()] });
    expect(found.map(item => [item.group, item.title])).toEqual([
      ['Endpoints', 'best'],
      ['Published', 'nightly <train>'],
      ['Schedules', 'each night']
    ]);
    expect(found[0]?.note).toBe('version 1 of 2 · 2 steps');
    expect(found[1]?.note).toContain('version 1.0 · 2 steps');
    expect(found[1]?.more).toBe('Every night.\nbest');
    expect(found[2]?.note).toContain('nightly <train> · every day at 02:30 · next ');
  });

  it('offers what can be done', () => {
    const [first, second, third] = items({ pipelines: [published()], endpoints: [endpoint()], schedules: [schedule()] });
    const usual = ['Open', 'Run…', 'Insert code', 'Copy REST address', 'Disable'];
    expect([labels(first), labels(second)]).toEqual([usual, usual]);
    expect(labels(third)).toEqual(['Open its last run', 'Insert code', 'Disable']);
  });

  it('says what is off, and offers no run of it', () => {
    const [one, two] = items({ pipelines: [published({ status: 'Disabled' })], schedules: [schedule({ status: 'Disabled', next_at: null, last_run_id: null })] });
    expect([one?.note.startsWith('Disabled · '), one?.status, labels(one).includes('Run…'), labels(one).includes('Enable')]).toEqual([true, 'NotStarted', false, true]);
    expect([two?.note, labels(two)]).toEqual(['Disabled · nightly <train> · every day at 02:30', ['Insert code', 'Enable']]);
  });

  it('says why a schedule could not submit', () => {
    const [one] = items({ schedules: [schedule({ error: 'The pipeline is disabled.' })] });
    expect([one?.note, one?.status]).toEqual(['The pipeline is disabled.', 'Failed']);
  });

  it('gives code that runs them with their parameters', () => {
    const [first, second, third] = items({ pipelines: [published()], endpoints: [endpoint()], schedules: [schedule()] });
    expect(first?.code).toContain('pipeline = PipelineEndpoint.get(ws, id="e-1")\n# run = pipeline.submit("experiment", pipeline_parameters={"rate": 0.1})');
    expect(second?.code).toContain('# run = pipeline.submit(ws, "experiment", pipeline_parameters={"rate": 0.1, "source": "calls", "is_full": True})');
    expect(third?.code).toContain('Schedule.get(ws, "s-1")');
  });

  it('turns them off and on, and copies addresses', async () => {
    const doings = page.doings('/w');
    const [one] = items({ endpoints: [endpoint()] });
    await actionOf(one, 'Disable').run(doings, {});
    await actionOf(items({ schedules: [schedule({ status: 'Disabled' })] })[0], 'Enable').run(doings, {});
    await actionOf(one, 'Copy REST address').run(doings, {});
    expect(page.things.asked).toEqual(['change endpoint e-1 {"enabled":false}', 'change schedule s-1 {"enabled":true}']);
    expect(page.done).toEqual(['copy http://127.0.0.1:5010/e-1']);
  });
});

describe('a run with parameters', () => {
  const run = (): ReturnType<typeof actionOf> => actionOf(items({ pipelines: [published()] })[0], 'Run…');
  const values = (changes: Record<string, string> = {}): Record<string, string> => ({
    ...Object.fromEntries((run().fields ?? []).map(field => [field.name, field.value])),
    ...changes
  });

  it('asks for the experiment and each parameter, with its default', () => {
    expect(run().fields?.map(field => [field.label, field.value])).toEqual([
      ['Experiment', 'nightly-train-'],
      ['rate', '0.1'],
      ['source', 'calls'],
      ['is_full', 'true']
    ]);
  });

  it('sends what was changed, as what it is, and shows the run', async () => {
    const said = await run().run(page.doings('/w'), values({ rate: '0.5', source: '7', ' experiment': 'churn' }));
    expect(page.things.asked).toEqual(['run pipeline p-1 {"experiment":"churn","parameters":{"rate":0.5,"source":"7"}}']);
    expect(page.done).toEqual(['run nbautoml:open-run {"run":"r-1"}']);
    expect(said).toBe('It runs as r-1.');
  });

  it('says how a value must be written', async () => {
    await expect(run().run(page.doings('/w'), values({ rate: 'much' }))).rejects.toThrow('rate must be written as 0.1 is; got much.');
    expect(page.things.asked).toEqual([]);
  });

  it('finds the field that a sentence of the server names', () => {
    const ask = new Ask(() => undefined);
    const fields = ['rate', 'learning-rate', 'a.b'].map(name => ({ name, label: name, value: '' }));
    const named = (problem: string): string | undefined => {
      ask.open({ label: 'Run…', fields, run: async () => '' }, () => undefined, {}, problem);
      return ask.node.querySelector('[aria-invalid]')?.closest('label')?.textContent ?? undefined;
    };
    expect(named("There is no parameter 'learning-rate'. Did you mean…")).toBe('learning-rate');
    expect(named('It cannot be read: a.b.')).toBe('a.b');
    expect(named('The rates are separate.')).toBeUndefined();
  });

  it('says at a field what is wrong with it, and keeps what was typed', async () => {
    const bar = new ActionBar(page.doings('/w'), () => undefined);
    document.body.replaceChildren(bar.node);
    bar.update([run()]);
    const button = bar.node.querySelector('button')!;
    const field = (label: string): HTMLInputElement =>
      [...bar.node.querySelectorAll('label')].find(one => one.textContent?.startsWith(label))!.querySelector('input')!;
    const send = async (): Promise<void> => {
      bar.node.querySelector('form')!.dispatchEvent(new Event('submit', { cancelable: true }));
      await new Promise(resolve => setTimeout(resolve));
    };
    button.click();
    field('Experiment').value = 'churn';
    field('rate').value = 'much';
    await send();
    expect(field('rate').getAttribute('aria-invalid')).toBe('true');
    expect(document.getElementById(field('rate').getAttribute('aria-describedby') ?? '')?.textContent).toBe('rate must be written as 0.1 is; got much.');
    expect(document.activeElement).toBe(field('rate'));
    expect([field('Experiment').value, field('Experiment').hasAttribute('aria-invalid')]).toEqual(['churn', false]);
    field('rate').value = '0.2';
    page.things.refusal = new Error('The store is away.');
    await send();
    expect(bar.node.querySelector('[aria-invalid]')).toBeNull();
    expect(bar.node.querySelector('.nba-notice')?.textContent).toContain('The store is away.');
    expect(field('rate').value).toBe('0.2');
    page.things.refusal = null;
    await send();
    expect(bar.node.querySelector('form')!.hidden).toBe(true);
    bar.dispose();
  });
});

describe('the view of a pipeline', () => {
  let view: PipelineView;
  const settle = async (): Promise<void> => void (await new Promise(resolve => setTimeout(resolve)));
  const tabs = (): string[] =>
    [...view.node.querySelectorAll<HTMLElement>('[role=tab]')].filter(tab => !tab.hidden).map(tab => tab.textContent ?? '');
  const rows = (table: string): string[][] =>
    [...view.node.querySelectorAll(`table[aria-label="${table}"] tbody tr`)].map(row => [...row.children].map(cell => cell.textContent ?? ''));

  async function open(kind: 'pipeline' | 'endpoint', changes = {}): Promise<void> {
    page.things.told = pipelineDetails(changes);
    view = new PipelineView(kind, 'p-1', page.doings('/w'));
    document.body.replaceChildren(view.node);
    await view.show();
  }

  afterEach(() => view.dispose());

  it('shows the graph, parameters and runs', async () => {
    await open('pipeline', { runs: [{ id: 'AutoML_1', experiment: '<i>', status: 'CancelRequested', created_at: 5 }] });
    expect(view.node.querySelector('h2')?.textContent).toBe('nightly <train>');
    expect([...view.node.querySelectorAll('.nba-step')].map(box => box.textContent)).toEqual(['cleanPython Script', 'trainAutoML']);
    expect(tabs()).toEqual(['Graph', 'Parameters (3)', 'Schedules (0)', 'Runs (1)']);
    view.node.querySelectorAll<HTMLElement>('.nba-step')[1]?.click();
    const card = view.node.querySelector('.nba-card');
    expect(card?.querySelector('dl')?.textContent).toBe('DoesAutoMLWaits forcleanReadsrows');
    expect([...(card?.querySelectorAll('button') ?? [])].filter(b => !b.hidden).map(b => b.textContent)).toEqual(['×']);
    expect(rows('Parameters')).toEqual([['rate', '0.1'], ['source', 'calls'], ['is_full', 'true']]);
    expect(rows('Runs')[0]?.slice(0, 3)).toEqual(['AutoML_1', '<i>', 'Stopping']);
    view.node.querySelector<HTMLElement>('table[aria-label=Runs] button')?.click();
    await settle();
    expect(page.done).toEqual(['run nbautoml:open-run {"run":"AutoML_1"}']);
  });

  it('of an endpoint lists versions, newest first, and makes another one the default', async () => {
    await open('endpoint', { ...endpoint(), version: '1', steps: pipelineDetails().steps });
    expect(tabs()).toContain('Versions (2)');
    expect(rows('Versions').map(row => [row[0], row[4], row[5]])).toEqual([['1', 'rate = 0.1', 'default'], ['0', 'rate = 0.1', 'Make it the default']]);
    [...view.node.querySelectorAll('button')].find(b => b.textContent === 'Make it the default')?.click();
    await settle();
    expect(page.things.asked.slice(1)).toEqual(['change endpoint e-1 {"default_version":"0"}', 'pipeline endpoint p-1']);
  });

  it('turns a schedule off', async () => {
    await open('pipeline', { schedules: [schedule({ error: 'no <table>' })] });
    expect(rows('Schedules')[0]).toEqual(['each night', 'Active', 'every day at 02:30', rows('Schedules')[0]?.[3], 'no <table>', 'Disable']);
    view.node.querySelector<HTMLElement>('table[aria-label=Schedules] button')?.click();
    await settle();
    expect(page.things.asked).toContain('change schedule s-1 {"enabled":false}');
  });

  it('says what went wrong, and offers nothing of what is not there', async () => {
    page.things.refusal = new Error('No such pipeline.');
    await open('pipeline');
    expect([...view.node.querySelectorAll('.nba-notice')].some(one => one.textContent?.includes('No such pipeline.'))).toBe(true);
    expect(view.node.querySelectorAll('.nba-actionbar .nba-buttons button')).toHaveLength(0);
  });
});
