/** Headers, trials and whole views for the tests; every number is made up. */

import type { Cell, Explanation, ExplanationAnswer, WhatIfAnswer } from '../src/runview/explanation/types';
import type { Deployment, DeploymentDetails, DeploymentSource, Drift, Keys, TryReply } from '../src/deploy/types';
import type { ChildRun, ChildRuns, Logged } from '../src/runview/logged/types';
import type { Figure, ModelCharts, ModelFigure, Plotter } from '../src/runview/plotter';
import type { RequestKind, RunListener, RunSource, Subscription } from '../src/runview/transport';
import type { RunsTransport } from '../src/views';
import type {
  Frame,
  Full,
  Header,
  ModelVersion,
  RunCode,
  RunColumns,
  RunLog,
  Scores,
  Trial,
  TrialDetails
} from '../src/runview/types';

export const RUN = 'AutoML_5f0c9d6e-6a34-4c5b-9d6d-0a1b2c3d4e5f';

export function header(changes: Partial<Header> = {}): Header {
  return {
    title: 'heart-failure',
    run_id: RUN,
    status: 'Running',
    is_live: true,
    reason: '',
    phase: 'ModelSelection',
    text: 'Iteration 3 of 60 · training LightGBM, fold 3 of 5',
    task: 'classification',
    label: 'DEATH_EVENT',
    dataset: 'heart-failure:1',
    metric: { name: 'AUC_weighted', maximize: true },
    started_at: 1000,
    ended_at: null,
    now: 1041,
    deadline: 1300,
    max_iterations: 60,
    progress: 0.2,
    ends: 'ends at 60 iterations or after 5 min',
    n_done: 2,
    n_failed: 0,
    n_stopped: 0,
    n_running: 1,
    n_total: 3,
    best: { n: 1, score: 0.9, std: 0.012, pipeline: 'LightGBM' },
    compute: { name: 'local', workers: 2, busy: 2, memory_bytes: 6e8 },
    data: { rows: 299, columns: 13, folds: 5, validation: '5 folds' },
    alerts: 1,
    ...changes
  };
}

export function trial(n: number, score: number | null = 0.5 + n / 1000, changes: Partial<Trial> = {}): Trial {
  return {
    n,
    name: `StandardScalerWrapper, LightGBM`,
    family: 'LightGBM',
    status: 'Completed',
    score,
    std: 0.01,
    seconds: 1.5,
    folds: [5, 5],
    started_at: 1000 + n,
    ...changes
  };
}

export function full(changes: Partial<Full> = {}): Full {
  return {
    schema: 1,
    run_id: RUN,
    workspace: '/home/me/project',
    seq: 10,
    header: header(),
    trials: [trial(0, 0.8), trial(1, 0.9), trial(2, null, { status: 'Running', folds: [2, 5] })],
    guardrails: [],
    ...changes
  };
}

export function frame(from: number, seq: number, changes: Partial<Frame> = {}): Frame {
  return { run: RUN, from, seq, trials: [], ...changes };
}

/** A transport in memory: tests speak as the server through `listener`. */
export class FakeTransport implements RunsTransport, RunSource {
  listener: RunListener | null = null;
  readonly requests: { kind: RequestKind; minutes?: number }[] = [];
  readonly registered: { n: number; name: string; description: string }[] = [];
  readonly asked: string[] = [];
  nAskedAgain = 0;
  nAskedChildren = 0;
  below: ChildRuns = { n: 0, metrics: [], rows: [] };
  nWatched = 0;
  isDisposed = false;
  refusal: Error | null = null;
  known: Partial<TrialDetails> = {};
  figures: ModelFigure[] = [];
  confidence: Record<string, [number, number]> = {};
  logs: RunLog = { seq: 0, lines: [] };
  values: Scores = { metrics: [], maximize: true, scores: [] };
  data: RunColumns = { rows: 0, columns: [] };
  explained: ExplanationAnswer = { n: 1, state: 'none', text: '', explanation: null };
  whatIfAnswer: WhatIfAnswer = { before: { prediction: 1 }, after: { prediction: 2 } };
  readonly questions: { row: number; changes: Record<string, Cell> }[] = [];
  wasLogged: Logged = logged();
  deployments: Deployment[] = [];
  service = new FakeDeployment();

  watch(_runId: string, _workspace: string, listener: RunListener): Subscription {
    this.nWatched += 1;
    this.listener = listener;
    return {
      askAgain: () => {
        this.nAskedAgain += 1;
      },
      dispose: () => {
        this.isDisposed = true;
      }
    };
  }

  of(): RunSource {
    return this;
  }

  async run(runId: string): Promise<Full> {
    this.ask(`run ${runId}`);
    return full({ run_id: runId });
  }

  async request(kind: RequestKind, minutes?: number): Promise<void> {
    this.ask(`request ${kind}`);
    this.requests.push(minutes === undefined ? { kind } : { kind, minutes });
  }

  async details(n: number): Promise<TrialDetails> {
    this.asked.push(`details ${n}`);
    return { ...trial(n), params: {}, metrics: {}, minimized: [], fold_scores: [], error_full: '', ...this.known };
  }

  async charts(n: number): Promise<ModelCharts> {
    this.ask(`charts ${n}`);
    return { n, figures: this.figures, confidence: this.confidence };
  }

  async explanation(n: number): Promise<ExplanationAnswer> {
    this.ask(`explanation ${n}`);
    return { ...this.explained, n };
  }

  async explain(n: number): Promise<ExplanationAnswer> {
    this.ask(`explain ${n}`);
    return { n, state: 'waiting', text: '', explanation: this.explained.explanation };
  }

  async whatIf(n: number, row: number, changes: Record<string, Cell>): Promise<WhatIfAnswer> {
    this.ask(`whatIf ${n}`);
    this.questions.push({ row, changes });
    return this.whatIfAnswer;
  }

  async script(n: number): Promise<{ script: string }> {
    this.ask(`script ${n}`);
    return { script: `print(${n})` };
  }

  async code(): Promise<RunCode> {
    this.ask('code');
    return { again: 'submit()', predict: 'predict()' };
  }

  async columns(): Promise<RunColumns> {
    this.ask('columns');
    return this.data;
  }

  async scores(metric: string): Promise<Scores> {
    this.ask(`scores ${metric}`);
    return { ...this.values, scores: metric ? this.values.scores : [] };
  }

  async log(after: number): Promise<RunLog> {
    this.ask(`log ${after}`);
    return { seq: this.logs.seq, lines: this.logs.lines.filter(line => line.seq > after) };
  }

  async children(): Promise<ChildRuns> {
    this.nAskedChildren += 1;
    return this.below;
  }

  async logged(): Promise<Logged> {
    this.ask('logged');
    return this.wasLogged;
  }

  stored(name: string): string {
    return `/stored/${name}`;
  }

  async register(n: number, name: string, description: string): Promise<ModelVersion> {
    this.ask(`register ${n}`);
    this.registered.push({ n, name, description });
    return { name, version: 3 };
  }

  async deployed(): Promise<Deployment[]> {
    return this.deployments;
  }

  async deploy(n: number, name: string): Promise<Deployment> {
    this.ask(`deploy ${n} ${name}`);
    return deployment({ name });
  }

  deployment(name: string): DeploymentSource {
    this.asked.push(`deployment ${name}`);
    return this.service;
  }

  leaderboard(): string {
    return '/leaderboard.csv';
  }

  chartPage(n: number, name: string): string {
    return `/page/${n}/${name}`;
  }

  file(n: number, name: string): string {
    return `/file/${n}/${name}`;
  }

  archive(n: number): string {
    return `/archive/${n}`;
  }

  private ask(what: string): void {
    this.asked.push(what);
    if (this.refusal) {
      throw this.refusal;
    }
  }
}

/** What a script logged: a number, a series, a text, a table, a picture, two files. */
export function logged(changes: Partial<Logged> = {}): Logged {
  return {
    seq: 10,
    values: [
      { name: 'accuracy', value: 0.9123, n: 1 },
      { name: 'loss', value: 0.25, n: 3 },
      { name: 'solver', value: 'lbfgs', n: 1 }
    ],
    series: [{ name: 'loss', x: [0, 1, 2], y: [1, 0.5, 0.25] }],
    tables: [{ name: 'folds', columns: ['fold', 'score'], rows: [[1, 0.8], [2, null]], n_rows: 5 }],
    images: [{ name: 'roc', file: 'roc.png' }],
    charts: [],
    files: [
      { name: 'outputs/model <1>.pkl', bytes: 1500 },
      { name: 'roc.png', bytes: 20_000 }
    ],
    n_files: 2,
    ...changes
  };
}

/** A child run that is over; `started_at` goes with its number. */
export function child(number: number, changes: Partial<ChildRun> = {}): ChildRun {
  const [began, ended] = [1000 + number, 1012.5 + number];
  const run = { id: `run-${number}`, number, name: `depth ${number}`, type: 'interactive', status: 'Completed' };
  return { ...run, started_at: began, ended_at: ended, is_live: false, values: [number / 10], ...changes };
}

export function figure(name: string, changes: Partial<ModelFigure> = {}): ModelFigure {
  return { name, title: name.toUpperCase(), help: `How to read ${name}.`, figure: { data: [], layout: {} }, ...changes };
}

/** Two rows of two columns: the first is right, the second wrong. */
export function explanation(changes: Partial<Explanation> = {}): Explanation {
  return {
    schema: 1,
    n: 1,
    pipeline: 'LightGBM',
    task: 'classification',
    label: 'died',
    classes: ['no', 'yes'],
    metric: { name: 'AUC_weighted', maximize: true },
    score: 0.9,
    made_at: 1000,
    seconds: 2.5,
    notes: ['A note.'],
    held_out: true,
    scored_rows: 200,
    explained_rows: 2,
    how: 'exact',
    raw: [
      { name: 'age', kind: 'number', size: 0.2, loss: 0.05, loss_std: 0.01 },
      { name: 'sex', kind: 'category', size: 0.1, loss: 0.08, loss_std: 0.02 }
    ],
    engineered: [{ name: 'age_MeanImputer', of: ['age'], size: 0.2 }],
    sample: {
      columns: [{ name: 'age', kind: 'number' }, { name: 'sex', kind: 'category' }],
      cells: [[60, 'm'], [null, 'f']],
      truth: ['yes', 'yes'],
      said: ['yes', 'no'],
      output: [0.8, 0.3],
      told: ['probability of yes', 'probability of yes'],
      held_out: ['yes', 'no'],
      held_out_output: [0.7, 0.4],
      contributions: [[0.3, 0.1], [-0.2, 0.1]],
      rest: [0, 0],
      base: [0.4, 0.4]
    },
    dependence: [
      {
        name: 'age',
        ordered: true,
        values: [20, 40],
        outputs: [{ name: 'probability of yes', mean: [0.2, 0.6] }],
        curves: [[0.1, 0.5], [0.3, 0.7]]
      }
    ],
    cohorts: [
      { column: 'age', part: '20 to 40', rows: 90, score: 0.95, error: 0.1 },
      { column: 'sex', part: 'f', rows: 80, score: null, error: 0.25 }
    ],
    ...changes
  };
}

/** A plotter that remembers what it was asked. */
export class FakePlotter implements Plotter {
  readonly drawn: Figure[] = [];
  readonly saved: string[] = [];
  nCleared = 0;
  refusal: Error | null = null;

  async draw(_node: HTMLElement, drawn: Figure): Promise<void> {
    if (this.refusal) {
      throw this.refusal;
    }
    this.drawn.push(drawn);
  }

  clear(): void {
    this.nCleared += 1;
  }

  async save(_node: HTMLElement, format: string, name: string): Promise<void> {
    this.saved.push(`${name}.${format}`);
  }
}

export function deployment(changes: Partial<DeploymentDetails> = {}): DeploymentDetails {
  return {
    name: 'heart',
    state: 'Healthy',
    is_settled: true,
    error: '',
    models: ['heart:1'],
    run_ids: [`${RUN}_1`],
    address: 'http://127.0.0.1:4567/score',
    created_at: 1000,
    description: '',
    restarts: 0,
    sample: { age: 60, ward: 'north' },
    needs_key: true,
    curl: 'curl http://127.0.0.1:4567/score',
    code: 'service.run([])',
    ...changes
  };
}

/** A deployment in memory. */
export class FakeDeployment implements DeploymentSource {
  details = deployment();
  text = 'worker 1 serves';
  answer: TryReply = { status: 200, reply: { predictions: ['yes'] }, seconds: 0.0123 };
  compared: Drift = { is_collecting: false, report: null, reason: 'Nothing was written down.' };
  refusal: Error | null = null;
  readonly asked: string[] = [];
  readonly sent: unknown[] = [];
  isRemoved = false;

  async get(): Promise<DeploymentDetails> {
    this.ask('get');
    return this.details;
  }

  async log(): Promise<{ text: string }> {
    this.ask('log');
    return { text: this.text };
  }

  async send(body: unknown, probabilities: boolean): Promise<TryReply> {
    this.ask('send');
    this.sent.push(probabilities ? [body, 'probabilities'] : body);
    return this.answer;
  }

  async keys(): Promise<Keys> {
    this.ask('keys');
    return { primary: 'first-key', secondary: 'second-key' };
  }

  async renewKey(key: string): Promise<Keys> {
    this.ask(`renew ${key}`);
    return { primary: 'new-key', secondary: 'second-key' };
  }

  async drift(): Promise<Drift> {
    this.ask('drift');
    return this.compared;
  }

  async collect(isOn: boolean): Promise<Drift> {
    this.ask(`collect ${isOn}`);
    return { ...this.compared, is_collecting: isOn };
  }

  async restart(): Promise<DeploymentDetails> {
    this.ask('restart');
    return { ...this.details, state: 'Transitioning', is_settled: false };
  }

  async remove(): Promise<void> {
    this.ask('remove');
    this.isRemoved = true;
  }

  private ask(what: string): void {
    this.asked.push(what);
    if (this.refusal) {
      throw this.refusal;
    }
  }
}
