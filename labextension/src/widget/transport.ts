import type { ModelCharts } from '../runview/plotter';
import type { Logged } from '../runview/logged/types';
import type { CoreSource, RequestKind, RunListener, Subscription, Transport } from '../runview/transport';
import type { Frame, Full, ModelVersion, RunCode, RunColumns, RunError, RunLog, Scores, TrialDetails } from '../runview/types';

/** A kernel that does not answer for so long is busy with a cell, or gone. */
const PATIENCE_MS = 20_000;

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
export class WidgetTransport implements Transport<CoreSource> {
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

  of(): CoreSource {
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
      }, PATIENCE_MS);
      this.#questions.set(id, { resolve, reject, timer });
      this.model.send({ ask: name, id, with: given });
    });
  }
}

/** Answers about the run from its kernel; it has no addresses to download from. */
class KernelSource implements CoreSource {
  constructor(private readonly ask: (name: string, given: object) => Promise<unknown>) {}

  async request(kind: RequestKind, minutes?: number): Promise<void> {
    await this.ask('request', minutes === undefined ? { kind } : { kind, minutes });
  }

  async columns(): Promise<RunColumns> {
    return (await this.ask('columns', {})) as RunColumns;
  }

  async code(): Promise<RunCode> {
    return (await this.ask('code', {})) as RunCode;
  }

  async scores(metric: string): Promise<Scores> {
    return (await this.ask('scores', { metric })) as Scores;
  }

  async log(after: number): Promise<RunLog> {
    return (await this.ask('log', { after })) as RunLog;
  }

  async logged(): Promise<Logged> {
    return (await this.ask('logged', {})) as Logged;
  }

  async details(n: number): Promise<TrialDetails> {
    return (await this.ask('details', { n })) as TrialDetails;
  }

  async charts(n: number): Promise<ModelCharts> {
    return (await this.ask('charts', { n })) as ModelCharts;
  }

  async script(n: number): Promise<{ script: string }> {
    return (await this.ask('script', { n })) as { script: string };
  }

  async register(n: number, name: string, description: string): Promise<ModelVersion> {
    return (await this.ask('register', { n, name, description })) as ModelVersion;
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
}
