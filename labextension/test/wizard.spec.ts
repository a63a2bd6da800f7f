import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { WizardForm, type Host } from '../src/wizard/form';
import type {
  DraftAnswer,
  DraftRequest,
  FieldSpec,
  Kind,
  StartedRun,
  TableColumn,
  TableProfile,
  WizardOptions,
  WizardSource
} from '../src/wizard/types';
import { freeName, safeName, upload, type Contents } from '../src/wizard/upload';

const words = (...names: string[]) => [{ title: '', words: names.map(name => [name, name] as const) }];

function field(name: string, kind: Kind, changes: Partial<FieldSpec> = {}): FieldSpec {
  const both = { classification: null, regression: null };
  return { name, title: name, doc: `What ${name} does.`, kind, unit: '', group: 'Group', takes: '', is_needed: false, default: both, choices: {}, ...changes };
}

const METRICS = { classification: words('accuracy', 'AUC'), regression: words('r2') };
const TASKS = words('classification', 'regression');

const OPTIONS: WizardOptions = {
  form: {
    tasks: ['classification', 'regression'],
    sections: [
      {
        name: 'label',
        title: 'Label and task',
        fields: [
          field('label_column_name', 'column'),
          field('task', 'choice', { choices: { classification: TASKS, regression: TASKS } })
        ],
        more: [field('positive_label', 'class')]
      },
      {
        name: 'limits',
        title: 'Metric and limits',
        fields: [
          field('primary_metric', 'choice', { choices: METRICS, default: { classification: 'accuracy', regression: 'r2' } }),
          field('experiment_timeout_minutes', 'number', { unit: 'minutes' }),
          field('iterations', 'number'),
          field('enable_early_stopping', 'flag', { default: { classification: true, regression: true } })
        ],
        more: [field('allowed_models', 'several', { choices: { classification: words('KNN', 'SVM'), regression: words('KNN') } })]
      },
      { name: 'compute', title: 'Compute', fields: [field('compute_target', 'compute')], more: [] },
      { name: 'columns', title: 'Columns', fields: [field('featurization', 'choice')], more: [] },
      { name: 'review', title: 'Review', fields: [field('experiment', 'text')], more: [] }
    ],
    purposes: ['Numeric', 'Categorical'],
    drop: 'drop',
    suffixes: ['.csv'],
    suggested: { experiment_timeout_minutes: 15 }
  },
  workspace: { name: 'ws', root: '/ws' },
  workspaces: [{ name: 'ws', root: '/ws' }],
  datasets: [{ name: 'heart', version: 2, rows: 299, columns: 3, description: '', created_at: 1 }],
  computes: [{ name: 'local', kind: 'local' }],
  files: [{ path: 'a/<b>.csv', bytes: 1200 }]
};

function column(name: string, task: string, changes: Partial<TableColumn> = {}): TableColumn {
  return {
    name,
    dtype: 'int64',
    kind: 'number',
    missing: 3,
    unique: 2,
    min: 0,
    max: 10,
    mean: 4,
    histogram: [1, 0, 5],
    top: [],
    purpose: 'Numeric',
    reason: 'Numbers.',
    task,
    task_reason: `it looks like ${task}`,
    can_predict: true,
    label_note: '',
    ...changes
  };
}

const TABLE: TableProfile = {
  name: 'heart',
  rows: 299,
  seen_rows: 299,
  n_columns: 3,
  columns: [
    column('age', 'regression', { label_note: '3 rows have no label and are left out.' }),
    column('<i>sex', 'classification', { histogram: [], top: [['<b>m', 200]] }),
    column('died', 'classification', { histogram: [], top: [['yes', 9], ['no', 290]] })
  ],
  head: [['1', '<u>m', 'no']],
  label: { name: 'died', reason: 'it is the last column' }
};

const ANSWER: DraftAnswer = { setup: '%load_ext nbautoml', cell: '%%automl heart', python: 'run()', problems: [], experiment: 'heart' };

class FakeSource implements WizardSource {
  readonly drafts: DraftRequest[] = [];
  readonly asked: string[] = [];
  answer: DraftAnswer = ANSWER;
  table: () => Promise<TableProfile> = async () => TABLE;
  refusal: Error | null = null;

  async options(workspace: string, folder: string): Promise<WizardOptions> {
    this.asked.push(`options ${workspace} ${folder}`);
    return OPTIONS;
  }

  async data(workspace: string, _folder: string, source: string): Promise<TableProfile> {
    this.asked.push(`data ${workspace} ${source}`);
    return this.table();
  }

  async code(_workspace: string, draft: DraftRequest): Promise<DraftAnswer> {
    this.drafts.push(draft);
    return this.answer;
  }

  async start(workspace: string, draft: DraftRequest): Promise<StartedRun> {
    if (this.refusal) {
      throw this.refusal;
    }
    this.asked.push(`start ${workspace} ${draft.source}`);
    return { run_id: 'AutoML_1', workspace: '/ws' };
  }
}

class FakeHost implements Host {
  readonly contents: Contents = {
    get: async () => ({ content: [] }),
    save: async path => ({ path }),
    delete: async () => undefined
  };
  sources: string[] = [];
  folder = 'notes';
  readonly inserted: (readonly string[])[] = [];
  readonly opened: string[] = [];

  target() {
    return { notebook: { name: 'x.ipynb', sources: this.sources }, folder: this.folder };
  }

  async insert(cells: readonly string[]): Promise<void> {
    this.inserted.push(cells);
  }

  async openRun(run: string, workspace: string): Promise<void> {
    this.opened.push(`${run} ${workspace}`);
  }
}

let source: FakeSource;
let host: FakeHost;
let form: WizardForm;

const settle = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(400));
const all = <T extends HTMLElement>(selector: string): T[] => [...form.node.querySelectorAll<T>(selector)];
const one = <T extends HTMLElement>(selector: string): T => all<T>(selector)[0]!;
const control = <T extends HTMLElement = HTMLInputElement>(name: string): T => one<T>(`[data-setting="${name}"]`);
const button = (text: string): HTMLElement => all('button').find(node => node.textContent === text)!;
const errorOf = (name: string): HTMLElement => form.node.querySelector(`#${control(name).getAttribute('aria-describedby')!.split(' ')[0]!}`)!;
const noteOf = (name: string): string => form.node.querySelector(`#${control(name).getAttribute('aria-describedby')!.split(' ')[1]!}`)!.textContent!;
const final = <T>(list: readonly T[]): T => list[list.length - 1]!;
const last = (): DraftRequest => final(source.drafts);

async function put(name: string, value: string): Promise<void> {
  const input = control<HTMLInputElement | HTMLSelectElement>(name);
  input.value = value;
  input.dispatchEvent(new Event(input.tagName === 'SELECT' ? 'change' : 'input'));
  await settle();
}

async function chooseData(): Promise<void> {
  const choice = all<HTMLSelectElement>('.nba-part-data select')[1]!;
  choice.value = 'dataset:heart:2';
  choice.dispatchEvent(new Event('change'));
  await settle();
}

beforeEach(async () => {
  vi.useFakeTimers();
  source = new FakeSource();
  host = new FakeHost();
  form = new WizardForm(source, host);
  document.body.replaceChildren(form.node);
  await form.open('');
  await settle();
});
afterEach(() => {
  form.dispose();
  vi.useRealTimers();
});

describe('the form', () => {
  it('shows all steps with what the server declares', () => {
    expect(all('h3').map(node => node.textContent)).toEqual([
      '1. Data',
      '2. Label and task',
      '3. Metric and limits',
      '4. Compute',
      '5. Columns',
      '6. Review'
    ]);
    expect(control('experiment_timeout_minutes').value).toBe('15');
    expect(control<HTMLInputElement>('enable_early_stopping').checked).toBe(true);
    expect(form.node.textContent).toContain('What iterations does.');
    expect(source.asked).toEqual(['options  notes']);
    expect(source.drafts).toEqual([]);
  });

  it('ties every label to its field', () => {
    for (const node of all<HTMLLabelElement>('label[for]')) {
      expect(form.node.querySelector(`#${node.htmlFor}`), node.textContent ?? '').not.toBeNull();
    }
    expect(all('[data-setting]').every(node => (node.getAttribute('aria-describedby') ?? '').split(' ').length === 3)).toBe(true);
  });

  it('reads data and suggests label and task, with reasons', async () => {
    await chooseData();
    expect(final(source.asked)).toBe('data /ws dataset:heart:2');
    expect(control<HTMLSelectElement>('label_column_name').value).toBe('died');
    expect(control<HTMLSelectElement>('task').value).toBe('classification');
    expect(noteOf('label_column_name')).toBe('Suggested: it is the last column.');
    expect(noteOf('task')).toBe('Suggested: it looks like classification.');
    expect(one('.nba-part-data').textContent).toContain('heart: 299 rows, 3 columns.');
    expect(last()).toEqual({
      source: 'dataset:heart:2',
      folder: 'notes',
      form: {
        settings: { experiment_timeout_minutes: '15', label_column_name: 'died', task: 'classification' },
        columns: {},
        experiment: ''
      }
    });
  });

  it('takes another label with its task, and what no longer fits is taken back', async () => {
    await chooseData();
    await put('primary_metric', 'AUC');
    expect(last().form.settings['primary_metric']).toBe('AUC');
    await put('label_column_name', 'age');
    expect(control<HTMLSelectElement>('task').value).toBe('regression');
    expect(noteOf('label_column_name')).toBe('3 rows have no label and are left out.');
    expect(control<HTMLSelectElement>('primary_metric').value).toBe('');
    expect(last().form.settings).toMatchObject({ label_column_name: 'age', task: 'regression', primary_metric: '' });
    await put('task', 'classification');
    expect(noteOf('task')).toBe('The values suggest regression: it looks like regression.');
  });

  it('shows names and values as text', async () => {
    await chooseData();
    expect(form.node.querySelector('i, b, u')).toBeNull();
    expect(one('.nba-columntable').textContent).toContain('<i>sex');
    expect(form.node.textContent).toContain('a/<b>.csv');
  });

  it('says what is wrong beside fields that were touched, and beside all when asked', async () => {
    await chooseData();
    source.answer = {
      ...ANSWER,
      cell: null,
      python: null,
      problems: [
        { field: 'iterations', message: 'iterations must be a number.' },
        { field: 'experiment', message: 'No such name.' }
      ]
    };
    await put('iterations', 'many');
    expect(errorOf('iterations').textContent).toBe('iterations must be a number.');
    expect(control('iterations').getAttribute('aria-invalid')).toBe('true');
    expect(errorOf('experiment').hidden).toBe(true);
    expect(all('.nba-problems button').map(node => node.textContent)).toEqual(['iterations must be a number.', 'No such name.']);
    button('Insert into notebook').click();
    await settle();
    expect(errorOf('experiment').textContent).toBe('No such name.');
    expect(document.activeElement).toBe(control('iterations'));
    expect(host.inserted).toEqual([]);
    source.answer = ANSWER;
    await put('iterations', '5');
    expect(errorOf('iterations').hidden).toBe(true);
    expect(control('iterations').getAttribute('aria-invalid')).toBe('false');
  });

  it('asks for data before anything else', async () => {
    button('Run now').click();
    await settle();
    expect(one('.nba-part-data [role=alert]').textContent).toBe('Choose data to learn from.');
    expect(source.drafts).toEqual([]);
  });

  it('sends several words, boxes and what columns are used as', async () => {
    await chooseData();
    const boxes = all<HTMLInputElement>('[data-setting="allowed_models"] input');
    boxes[1]!.click();
    control<HTMLInputElement>('enable_early_stopping').click();
    const use = one<HTMLSelectElement>('[aria-label="Use age as"]');
    use.value = 'drop';
    use.dispatchEvent(new Event('change'));
    await settle();
    expect(last().form.settings).toMatchObject({ allowed_models: ['SVM'], enable_early_stopping: false });
    expect(last().form.columns).toEqual({ age: 'drop' });
    expect(one('.nba-columntable').textContent).toContain('1 chosen by you');
    expect(one<HTMLSelectElement>('[aria-label="Use died as"]').hidden).toBe(true);
    await put('label_column_name', 'age');
    expect(last().form.columns).toEqual({});
  });

  it('forgets what was said of columns when other data is chosen, and keeps limits', async () => {
    await chooseData();
    await put('iterations', '7');
    await put('positive_label', 'yes');
    await chooseData();
    expect(last().form.settings).toMatchObject({ iterations: '7' });
    expect(last().form.settings['positive_label']).toBeUndefined();
    expect(control('positive_label').value).toBe('');
  });

  it('shows data that was chosen last, whichever comes first', async () => {
    let answer: (table: TableProfile) => void = () => undefined;
    source.table = () => new Promise(resolve => (answer = resolve));
    await chooseData();
    source.table = async () => ({ ...TABLE, name: 'second' });
    const path = one<HTMLInputElement>('.nba-part-data input[type=text]');
    path.value = 'second.csv';
    path.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
    await settle();
    answer({ ...TABLE, name: 'first' });
    await settle();
    expect(one('.nba-part-data').textContent).toContain('second: 299 rows');
    expect(last().source).toBe('file:second.csv');
  });

  it('says why data cannot be read', async () => {
    source.table = async () => {
      throw new Error('heart.csv, line 3: 2 values.');
    };
    await chooseData();
    expect(one('.nba-part-data [role=alert]').textContent).toBe('heart.csv, line 3: 2 values.');
    expect(one('.nba-review').textContent).toContain('Choose data first.');
  });
});

describe('review', () => {
  const shown = (): string[] => all('.nba-review pre').filter(node => !node.closest('[hidden]')).map(node => node.textContent ?? '');

  it('shows just the cells that are inserted', async () => {
    await chooseData();
    expect(shown()).toEqual(['%load_ext nbautoml', '%%automl heart']);
    expect(one('.nba-review').textContent).toContain('These 2 cells go below the active cell of x.ipynb.');
    button('Insert into notebook').click();
    await settle();
    expect(host.inserted).toEqual([['%load_ext nbautoml', '%%automl heart']]);
  });

  it('leaves out what the notebook has already, and writes Python when asked', async () => {
    host.sources = ['import os\n%load_ext nbautoml'];
    await chooseData();
    expect(shown()).toEqual(['%%automl heart']);
    const python = one<HTMLInputElement>('input[value=python]');
    python.checked = true;
    python.dispatchEvent(new Event('change'));
    expect(shown()).toEqual(['run()']);
    button('Insert into notebook').click();
    await settle();
    expect(host.inserted).toEqual([['run()']]);
  });

  it('follows the notebook to another folder', async () => {
    await chooseData();
    host.folder = 'other';
    await form.follow();
    await settle();
    expect(final(source.asked)).toBe('options /ws other');
    expect(last()).toMatchObject({ folder: 'other', source: 'dataset:heart:2' });
    expect(control<HTMLSelectElement>('label_column_name').value).toBe('died');
  });

  it('starts a run and opens it', async () => {
    await chooseData();
    button('Run now').click();
    await settle();
    expect(final(source.asked)).toBe('start /ws dataset:heart:2');
    expect(host.opened).toEqual(['AutoML_1 /ws']);
    expect(one('.nba-formbar').textContent).toContain('Started AutoML_1.');
  });

  it('says why a run does not start, and lets it be tried again', async () => {
    await chooseData();
    source.refusal = new Error('No compute target is called x.');
    button('Run now').click();
    await settle();
    expect(one('.nba-formbar').textContent).toContain('No compute target is called x.');
    expect(button('Run now')).toHaveProperty('disabled', false);
  });
});

describe('upload', () => {
  beforeEach(() => void vi.useRealTimers());

  class Disk implements Contents {
    readonly parts: { path: string; chunk?: number; content: string }[] = [];
    readonly deleted: string[] = [];
    refuse = false;

    async get() {
      return { content: [{ name: 'data.csv' }] };
    }

    async save(path: string, part: { content: string; chunk?: number }) {
      if (this.refuse && this.parts.length) {
        throw new Error('The disk is full.');
      }
      this.parts.push({ path, content: part.content, ...(part.chunk === undefined ? {} : { chunk: part.chunk }) });
      return { path };
    }

    async delete(path: string) {
      this.deleted.push(path);
    }
  }

  const large = (): File => new File([new Uint8Array(2.5 * 2 ** 20)], 'large.csv');

  it('makes names that are safe everywhere', () => {
    expect(safeName('../../etc/pass wd?.csv')).toBe('pass wd_.csv');
    expect(safeName('C:\\tables\\größe: 3.csv')).toBe('größe_ 3.csv');
    expect(safeName('.hidden')).toBe('hidden');
    expect(safeName('\n"<b>\'.csv')).toBe('___b__.csv');
    expect(safeName('...')).toBe('data');
    expect(safeName(`${'x'.repeat(500)}.csv.gz`)).toBe(`${'x'.repeat(120)}.csv.gz`);
    expect(freeName('a.csv.gz', new Set(['a.csv.gz', 'a (1).csv.gz']))).toBe('a (2).csv.gz');
  });

  it('sends a small file whole, under a name that is free', async () => {
    const disk = new Disk();
    const path = await upload(new File(['a,b\n'], 'data.csv'), 'notes', disk, () => undefined, new AbortController().signal);
    expect(path).toBe('notes/data (1).csv');
    expect(disk.parts).toEqual([{ path, content: btoa('a,b\n') }]);
  });

  it('sends a large file in parts and tells how far it is', async () => {
    const disk = new Disk();
    const told: number[] = [];
    await upload(large(), '', disk, done => told.push(done), new AbortController().signal);
    expect(disk.parts.map(part => part.chunk)).toEqual([1, 2, -1]);
    expect(told).toEqual([2 ** 20, 2 ** 21, 2.5 * 2 ** 20]);
  });

  it('takes back what was sent when it is stopped or fails', async () => {
    const stop = new AbortController();
    const disk = new Disk();
    await expect(upload(large(), '', disk, () => stop.abort(), stop.signal)).rejects.toThrow();
    expect(disk.deleted).toEqual(['large.csv']);
    const full = new Disk();
    full.refuse = true;
    await expect(upload(large(), '', full, () => undefined, new AbortController().signal)).rejects.toThrow('The disk is full.');
    expect(full.deleted).toEqual(['large.csv']);
  });
});
