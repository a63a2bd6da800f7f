/** A catalog, things and a host in memory; every number is made up. */

import type { ComputeDetails, ComputeLog, DatasetContent, DatasetDetails, ModelDetails, ModelVersionDetails, PipelineDetails, PipelineKind, Words } from '../src/details/types';
import type { Action, Doings, Item } from '../src/panel/item';
import type { PanelHost } from '../src/panel/panel';
import type { Catalog, ComputeItem, EndpointItem, PipelineItem, RunItem, Scale, ScheduleItem, WorkspaceItem } from '../src/panel/types';
import type { RunListener, Subscription } from '../src/runview/transport';
import type { ModelVersion } from '../src/runview/types';
import type { Things } from '../src/things';
import { deployment, RUN } from './fixtures';

export const HOME: WorkspaceItem = { name: 'home', root: '/home/me' };
export const OTHER: WorkspaceItem = { name: '<i>other', root: '/other' };
/** Names that would do harm, or turn a line round, if they were anything but text. */
export const SCRIPT = '<script>alert(1)</script>';
export const EMOJI = 'цены 🏠';
export const ARABIC = 'أسعار';

export function run(changes: Partial<RunItem> = {}): RunItem {
  return {
    id: RUN,
    experiment: 'exp',
    name: '',
    type: 'automl',
    status: 'Running',
    reason: '',
    is_live: true,
    created_at: 1000,
    ended_at: null,
    metric: 'accuracy',
    score: 0.75,
    best: null,
    ...changes
  };
}

export function catalog(changes: Partial<Catalog> = {}): Catalog {
  return {
    workspace: { ...HOME, store: 'SQLite', runs: 7, experiments: 2 },
    datasets: [
      { id: 'd-1', name: 'heart', version: 3, rows: 299, columns: 13, description: '', tags: { area: 'care' }, created_at: 5 }
    ],
    computes: [
      { name: 'local', kind: 'local', state: 'Succeeded', problem: '', nodes: 1, cores: 4, memory_bytes: 8e9, gpus: 0, dashboard: null, is_started: null, scale: null }
    ],
    runs: [run()],
    pipelines: [],
    endpoints: [],
    schedules: [],
    deployments: [deployment({ name: 'served', models: ['m:1'], run_ids: [], description: '' })],
    models: [
      { name: 'heart-model', version: 2, description: '', tags: {}, framework: '', run_id: 'AutoML_x_12', created_at: 5 }
    ],
    ...changes
  };
}

export function published(changes: Partial<PipelineItem> = {}): PipelineItem {
  return {
    id: 'p-1',
    name: 'nightly <train>',
    version: '1.0',
    description: 'Every night.',
    status: 'Active',
    created_at: 1000,
    steps: ['clean', 'train'],
    parameters: { rate: 0.1, source: 'calls', is_full: true },
    endpoints: ['best'],
    address: 'http://127.0.0.1:5010/p-1',
    ...changes
  };
}

export function endpoint(changes: Partial<EndpointItem> = {}): EndpointItem {
  const version = { is_default: false, pipeline_id: 'p-1', name: 'nightly', status: 'Active', steps: ['clean'], parameters: { rate: 0.1 } };
  return {
    id: 'e-1',
    name: 'best',
    description: '',
    status: 'Active',
    created_at: 1000,
    default_version: '1',
    address: 'http://127.0.0.1:5010/e-1',
    versions: [{ ...version, version: '0' }, { ...version, version: '1', is_default: true, steps: ['clean', 'train'] }],
    ...changes
  };
}

export function schedule(changes: Partial<ScheduleItem> = {}): ScheduleItem {
  return {
    id: 's-1',
    name: 'each night',
    description: '',
    status: 'Active',
    experiment: 'churn',
    pipeline_id: 'p-1',
    endpoint_id: null,
    target: 'nightly <train>',
    when: 'every day at 02:30',
    next_at: 5000,
    last_run_id: 'r-9',
    parameters: {},
    error: '',
    ...changes
  };
}

export function pipelineDetails(changes: Partial<PipelineDetails> = {}): PipelineDetails {
  return {
    ...published(),
    steps: [{ n: 0, name: 'clean', kind: 'PythonScriptStep', status: '' }, { n: 1, name: 'train', kind: 'AutoMLStep', status: '', after: [0], inputs: ['rows'] }],
    graph: { places: [[0, 0], [1, 0]], lines: [[0, 1]] },
    versions: [],
    schedules: [],
    runs: [],
    ...changes
  };
}

/** A cluster with a process of its own. */
export function cluster(changes: Partial<ComputeItem> = {}): ComputeItem {
  return {
    name: 'big',
    kind: 'DaskCluster',
    state: 'Succeeded',
    problem: '',
    nodes: 2,
    cores: 4,
    memory_bytes: 8e9,
    gpus: 0,
    dashboard: 'http://big:8787/status',
    is_started: true,
    scale: { min_nodes: 0, max_nodes: 3, idle_seconds: 120 },
    ...changes
  };
}

export function dataset(changes: Partial<DatasetDetails> = {}): DatasetDetails {
  return {
    id: 'd-2',
    name: 'heart',
    version: 2,
    description: 'From the clinic.',
    tags: { area: 'care' },
    rows: 299,
    columns: 2,
    created_at: 1000,
    fingerprint: '0123456789abcdef',
    origin: { reader: 'delimited', sources: ['/data/heart.csv'], steps: ['take 299'] },
    versions: [
      { id: 'd-2', version: 2, description: 'From the clinic.', rows: 299, columns: 2, created_at: 1000 },
      { id: 'd-1', version: 1, description: '', rows: 200, columns: 2, created_at: 900 }
    ],
    used_by: [{ run_id: RUN, experiment: 'exp', status: 'Completed', created_at: 1100, roles: ['training'] }],
    made_by: null,
    models: [{ name: 'heart-model', version: 1, run_id: `${RUN}_3` }],
    ...changes
  };
}

export function content(changes: Partial<DatasetContent> = {}): DatasetContent {
  const common = { min: null, max: null, mean: null, std: null, median: null, histogram: [], top: [] };
  return {
    profile: {
      n_rows: 299,
      columns: [
        {
          ...common,
          name: 'age',
          dtype: 'int64',
          kind: 'number',
          count: 290,
          missing_count: 9,
          unique_count: 47,
          min: 40,
          max: 95,
          median: 60,
          histogram: [
            { low: 40, high: 67.5, count: 200 },
            { low: 67.5, high: 95, count: 90 }
          ]
        },
        { ...common, name: SCRIPT, dtype: 'str', kind: 'text', count: 299, missing_count: 0, unique_count: 2, top: [['yes', 200], ['no', 99]] }
      ]
    },
    head: { columns: ['age', SCRIPT], rows: [[75, '<b>yes</b>'], [null, 'no']] },
    is_partial: false,
    ...changes
  };
}

export function model(versions: readonly number[] = [2, 1]): ModelDetails {
  return { name: 'heart-model', versions: versions.map(version => modelVersion({ version })) };
}

export function modelVersion(changes: Partial<ModelVersionDetails> = {}): ModelVersionDetails {
  return {
    name: 'heart-model',
    version: 2,
    created_at: 1000,
    description: '',
    tags: { stage: 'trial' },
    framework: '',
    framework_version: '',
    run_id: `${RUN}_3`,
    parent_id: RUN,
    metric: 'AUC_weighted',
    score: 0.91,
    properties: {},
    files: [{ name: 'outputs/model.pkl', size_bytes: 12_345 }],
    metrics: { AUC_weighted: 0.91, log_loss: 0.3 },
    minimized: ['log_loss'],
    schema: { task: 'classification', label: 'DEATH_EVENT', columns: [{ name: 'age', dtype: 'int64', is_nullable: true }] },
    stage: 'None',
    aliases: [],
    lineage: {
      width: 372,
      height: 198,
      box_width: 176,
      box_height: 46,
      boxes: [
        { kind: 'run', id: RUN, x: 98, y: 4, title: 'AutoML_…_3', note: '<b>heart</b>', text: 'AutoML_3 (<b>heart</b>)' },
        { kind: 'model', id: 'heart-model:2', x: 98, y: 76, title: 'heart-model:2', note: 'model', text: 'heart-model:2 (model)' },
        { kind: 'deployment', id: 'live', x: 98, y: 148, title: 'live', note: 'deployment', text: 'live (deployment)' }
      ],
      lines: [[0, 1], [1, 2]],
      text: 'made by: AutoML_3'
    },
    ...changes
  };
}

/** Things in memory that remember what was asked, and refuse when told to. */
export class FakeThings implements Things {
  readonly asked: string[] = [];
  refusal: Error | null = null;
  held: DatasetDetails = dataset();
  inside: DatasetContent = content();
  versions: number[] = [2, 1];
  details: Partial<ModelVersionDetails> = {};
  target: ComputeItem = cluster();
  told: PipelineDetails = pipelineDetails();

  async dataset(id: string): Promise<DatasetDetails> {
    this.note(`dataset ${id}`);
    const version = this.held.versions.find(one => one.id === id);
    return { ...this.held, ...version };
  }

  async content(id: string): Promise<DatasetContent> {
    this.note(`content ${id}`);
    return this.inside;
  }

  async changeDataset(id: string, words: Words): Promise<void> {
    this.note(`change dataset ${id} ${JSON.stringify(words)}`);
  }

  async unregister(id: string): Promise<number> {
    this.note(`unregister ${id}`);
    return 2;
  }

  async model(name: string): Promise<ModelDetails> {
    this.note(`model ${name}`);
    if (!this.versions.length) {
      throw new Error(`No model is called '${name}'.`);
    }
    return model(this.versions);
  }

  async modelVersion(name: string, version: number): Promise<ModelVersionDetails> {
    this.note(`version ${name} ${version}`);
    return modelVersion({ ...this.details, version });
  }

  async changeModel(name: string, version: number, words: Words): Promise<void> {
    this.note(`change model ${name} ${version} ${JSON.stringify(words)}`);
  }

  async deleteModel(name: string, version: number): Promise<void> {
    this.note(`delete ${name} ${version}`);
    this.versions = this.versions.filter(one => one !== version);
  }

  async ask(runId: string, kind: string): Promise<void> {
    this.note(`${kind} ${runId}`);
  }

  async register(runId: string, n: number, name: string, description: string): Promise<ModelVersion> {
    this.note(`register ${runId} ${n} ${name} ${description}`);
    return { name, version: 1 };
  }

  async compute(name: string): Promise<ComputeDetails> {
    this.note(`compute ${name}`);
    const nodes = this.target.is_started ? [{ id: SCRIPT, state: 'idle', cores: 4, memory_bytes: 8e9, gpus: 1 }] : [];
    return { ...this.target, name, list_nodes: nodes };
  }

  async scaleCompute(name: string, scale: Scale): Promise<void> {
    this.note(`scale ${name} ${JSON.stringify(scale)}`);
    this.target = { ...this.target, scale };
  }

  async turnCompute(name: string, turn: 'start' | 'stop'): Promise<void> {
    this.note(`${turn} ${name}`);
    this.target = { ...this.target, is_started: turn === 'start' };
  }

  async deleteCompute(name: string): Promise<void> {
    this.note(`delete compute ${name}`);
  }

  async computeLog(name: string, node: string): Promise<ComputeLog> {
    this.note(`log ${name} ${node}`.trim());
    return { text: `${node || name} has begun\n`, nodes: ['node-1'] };
  }

  async restartDeployment(name: string): Promise<void> {
    this.note(`restart ${name}`);
  }

  async deleteDeployment(name: string): Promise<void> {
    this.note(`delete deployment ${name}`);
  }

  async pipeline(kind: PipelineKind, id: string): Promise<PipelineDetails> {
    this.note(`pipeline ${kind} ${id}`);
    return this.told;
  }

  async runPipeline(kind: PipelineKind, id: string, asked: object): Promise<string> {
    this.note(`run ${kind} ${id} ${JSON.stringify(asked)}`);
    return 'r-1';
  }

  async changePipeline(kind: PipelineKind | 'schedule', id: string, change: object): Promise<void> {
    this.note(`change ${kind} ${id} ${JSON.stringify(change)}`);
  }

  archive(name: string, version: number): string {
    return `/archive/${name}/${version}`;
  }

  modelFile(name: string, version: number, file: string): string {
    return `/file/${name}/${version}/${file}`;
  }

  private note(what: string): void {
    this.asked.push(what);
    if (this.refusal) {
      throw this.refusal;
    }
  }
}

/** The page, in memory: what was done is a list of words. */
export class FakePage implements PanelHost {
  readonly things = new FakeThings();
  readonly done: string[] = [];
  readonly listeners = new Map<string, RunListener>();
  noNotebook = false;

  doings(workspace: string): Doings {
    const note = (text: string): void => void this.done.push(text);
    return {
      workspace,
      things: this.things,
      insert: async code => {
        if (this.noNotebook) {
          throw new Error('Open a notebook to put the code into.');
        }
        note(`insert ${code}`);
      },
      run: async (command, args) => note(`run ${command} ${JSON.stringify(args)}`),
      copy: async text => note(`copy ${text}`),
      save: address => note(`save ${address}`),
      visit: address => note(`visit ${address}`)
    };
  }

  drag(item: Item): void {
    this.done.push(`drag ${item.key}`);
  }

  newRun(workspace: string): void {
    this.done.push(`new run ${workspace}`);
  }

  watch(runId: string, _workspace: string, listener: RunListener): Subscription {
    this.listeners.set(runId, listener);
    return {
      askAgain: () => void this.done.push(`ask again ${runId}`),
      dispose: () => void this.listeners.delete(runId)
    };
  }
}

export function actionOf(item: Item | undefined, label: string): Action {
  const found = item?.actions.find(action => action.label === label);
  if (!found) {
    throw new Error(`no action ${label} among ${item?.actions.map(action => action.label).join(', ')}`);
  }
  return found;
}
