/** Headers, trials and whole views for the tests; every number is made up. */

import type { Figure, ModelCharts, ModelFigure, Plotter } from '../src/runview/plotter';
import type { RequestKind, RunListener, RunSource, Subscription, Transport } from '../src/runview/transport';
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
export class FakeTransport implements Transport, RunSource {
  listener: RunListener | null = null;
  readonly requests: { kind: RequestKind; minutes?: number }[] = [];
  readonly registered: { n: number; name: string; description: string }[] = [];
  readonly asked: string[] = [];
  nAskedAgain = 0;
  nWatched = 0;
  isDisposed = false;
  refusal: Error | null = null;
  known: Partial<TrialDetails> = {};
  figures: ModelFigure[] = [];
  confidence: Record<string, [number, number]> = {};
  logs: RunLog = { seq: 0, lines: [] };
  values: Scores = { metrics: [], maximize: true, scores: [] };
  data: RunColumns = { rows: 0, columns: [] };

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

  async register(n: number, name: string, description: string): Promise<ModelVersion> {
    this.ask(`register ${n}`);
    this.registered.push({ n, name, description });
    return { name, version: 3 };
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

  private ask(what: string): void {
    this.asked.push(what);
    if (this.refusal) {
      throw this.refusal;
    }
  }
}

export function figure(name: string, changes: Partial<ModelFigure> = {}): ModelFigure {
  return { name, title: name.toUpperCase(), help: `How to read ${name}.`, figure: { data: [], layout: {} }, ...changes };
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
