import type { Deployment, DeploymentSource } from '../deploy/types';
import type { Cell, ExplanationAnswer, WhatIfAnswer } from '../runview/explanation/types';
import type { ModelCharts } from '../runview/plotter';
import type { ChildRuns, Logged } from '../runview/logged/types';
import type { RequestKind, RunListener, RunSource, Subscription, Transport } from '../runview/transport';
import type { Frame, Full, ModelVersion, RunCode, RunColumns, RunError, RunLog, Scores, TrialDetails } from '../runview/types';

/** A kernel that does not answer for so long is busy with a cell, or gone. */
const PATIENCE_MS = 20_000;
/** What it may be at for longer, before it answers. */
const SLOW = new Set(['register', 'deploy', 'whatIf', 'service_drift']);
const SLOW_PATIENCE_MS = 180_000;

/** The part of a widget's model that is used here. */
export interface Model {
  get(name: string): unknown;
  send(content: unknown): void;
  on(name: string, callback: (message: Message) => void): void;
  off(name: string, callback: (message: Message) => void): void;
}

interface Message {
  /** What the hub sends of the run. */
  event?: { full: Full } | { error: RunError } | Frame;
  /** Which question is answered. */
  answer?: number;
  value?: unknown;
  error?: RunError;
}

interface Question {
  resolve(value: unknown): void;
  reject(error: Error): void;
  timer: number;
}

/** The run view's transport where a kernel follows the run. */
export class WidgetTransport implements Transport {
  readonly #questions = new Map<number, Question>();
  readonly #onMessage = (message: Message): void => this.#take(message);
  #listener: RunListener | null = null;
  #last = 0;

  constructor(private readonly model: Model) {
    model.on('msg:custom', this.#onMessage);
  }

  watch(_runId: string, _workspace: string, listener: RunListener): Subscription {
    this.#listener = listener;
    this.model.send({ since: listener.lastSeq() });
    return {
      askAgain: () => this.model.send({ since: 0 }),
      dispose: () => {
        this.#listener = null;
        this.model.send({ leave: true });
      }
    };
  }

  of(): RunSource {
    return new KernelSource((name, given) => this.#ask(name, given));
  }

  dispose(): void {
    this.model.off('msg:custom', this.#onMessage);
    for (const { timer } of this.#questions.values()) {
      window.clearTimeout(timer);
    }
    this.#questions.clear();
  }

  #take(message: Message): void {
    const { event, answer } = message;
    if (event && 'full' in event) {
      this.#listener?.onFull(event.full);
    } else if (event && 'error' in event) {
      this.#listener?.onError(event.error);
    } else if (event) {
      this.#listener?.onFrame(event);
    }
    const question = answer === undefined ? undefined : this.#questions.get(answer);
    if (answer === undefined || !question) {
      return;
    }
    this.#questions.delete(answer);
    window.clearTimeout(question.timer);
    const { error } = message;
    if (error) {
      question.reject(new Error([error.message, error.hint].filter(Boolean).join(' ')));
    } else {
      question.resolve(message.value);
    }
  }

  #ask(name: string, given: object): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => {
        this.#questions.delete(id);
        reject(new Error('The kernel does not answer. It may be busy with a cell; else run the cell of this view again.'));
      }, SLOW.has(name) ? SLOW_PATIENCE_MS : PATIENCE_MS);
      this.#questions.set(id, { resolve, reject, timer });
      this.model.send({ ask: name, id, with: given });
    });
  }
}

type Ask = (name: string, given: object) => Promise<unknown>;

/** Answers about the run from its kernel; it has no addresses to download from. */
class KernelSource implements RunSource {
  constructor(private readonly ask: Ask) {}

  async request(kind: RequestKind, minutes?: number): Promise<void> {
    await this.ask('request', minutes === undefined ? { kind } : { kind, minutes });
  }

  columns(): Promise<RunColumns> {
    return this.#get('columns');
  }

  code(): Promise<RunCode> {
    return this.#get('code');
  }

  scores(metric: string): Promise<Scores> {
    return this.#get('scores', { metric });
  }

  log(after: number): Promise<RunLog> {
    return this.#get('log', { after });
  }

  logged(): Promise<Logged> {
    return this.#get('logged');
  }

  children(): Promise<ChildRuns> {
    return this.#get('children');
  }

  details(n: number): Promise<TrialDetails> {
    return this.#get('details', { n });
  }

  charts(n: number): Promise<ModelCharts> {
    return this.#get('charts', { n });
  }

  explanation(n: number): Promise<ExplanationAnswer> {
    return this.#get('explanation', { n });
  }

  explain(n: number): Promise<ExplanationAnswer> {
    return this.#get('explain', { n });
  }

  whatIf(n: number, row: number, changes: Record<string, Cell>): Promise<WhatIfAnswer> {
    return this.#get('whatIf', { n, row, changes });
  }

  script(n: number): Promise<{ script: string }> {
    return this.#get('script', { n });
  }

  register(n: number, name: string, description: string): Promise<ModelVersion> {
    return this.#get('register', { n, name, description });
  }

  deployed(n: number): Promise<Deployment[]> {
    return this.#get('deployed', { n });
  }

  deploy(n: number, name: string): Promise<Deployment> {
    return this.#get('deploy', { n, name });
  }

  deployment(name: string): DeploymentSource {
    const get = <T>(part: string, given: object = {}): Promise<T> => this.#get(`service${part}`, { name, ...given });
    return {
      get: () => get(''),
      log: () => get('_log'),
      send: (body, probabilities) => get('_try', { body, probabilities }),
      keys: () => get('_keys'),
      renewKey: key => get('_renew', { key }),
      drift: () => get('_drift'),
      collect: isOn => get('_collect', { collect: isOn }),
      restart: () => get('_restart'),
      remove: () => get('_remove')
    };
  }

  leaderboard(): string {
    return '';
  }

  chartPage(): string {
    return '';
  }

  file(): string {
    return '';
  }

  archive(): string {
    return '';
  }

  stored(): string {
    return '';
  }

  #get<T>(name: string, given: object = {}): Promise<T> {
    return this.ask(name, given) as Promise<T>;
  }
}
