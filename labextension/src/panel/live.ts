import type { RunListener, Subscription, Transport } from '../runview/transport';
import type { Frame, Full, Header } from '../runview/types';

/** Most runs that are followed at once: each sends its whole view first. */
export const MOST_FOLLOWED = 3;

/** Follows the newest live runs over the page's websocket, and keeps what they say of themselves. */
export class LiveRuns {
  readonly #followed = new Map<string, Follower>();

  constructor(
    private readonly transport: Pick<Transport, 'watch'>,
    private readonly onChange: () => void
  ) {}

  get headers(): ReadonlyMap<string, Header> {
    const known = new Map<string, Header>();
    for (const [id, { header }] of this.#followed) {
      if (header) {
        known.set(id, header);
      }
    }
    return known;
  }

  /** Follow these runs of a workspace, and no others. */
  follow(workspace: string, runIds: readonly string[]): void {
    const wanted = new Set(runIds.slice(0, MOST_FOLLOWED));
    for (const [id, follower] of this.#followed) {
      if (!wanted.has(id) || follower.workspace !== workspace) {
        follower.dispose();
        this.#followed.delete(id);
      }
    }
    for (const id of wanted) {
      if (!this.#followed.has(id)) {
        const follower = new Follower(workspace, this.onChange);
        this.#followed.set(id, follower);
        follower.begin(this.transport.watch(id, workspace, follower));
      }
    }
  }
}

/** One run: of what the server sends, only the header is kept. */
class Follower implements RunListener {
  header: Header | null = null;
  #seq = 0;
  #isAsking = false;
  #subscription: Subscription | null = null;

  constructor(
    readonly workspace: string,
    private readonly onChange: () => void
  ) {}

  begin(subscription: Subscription): void {
    this.#subscription = subscription;
  }

  dispose(): void {
    this.#subscription?.dispose();
  }

  lastSeq(): number {
    return this.#seq;
  }

  onFull({ seq, header }: Full): void {
    this.#isAsking = false;
    this.#take(seq, header);
  }

  onFrame({ from, seq, header }: Frame): void {
    if (!this.header || from > this.#seq) {
      this.#askAgain();
    } else if (seq > this.#seq) {
      this.#take(seq, { ...this.header, ...header });
    }
  }

  /** The lists tell of its state then. */
  onError(): void {
    this.header = null;
    this.onChange();
  }

  onConnection(isConnected: boolean): void {
    this.#isAsking = false;
    if (!isConnected && this.header) {
      this.header = null;
      this.#seq = 0;
      this.onChange();
    }
  }

  /** Frames were missed: once is enough until everything comes. */
  #askAgain(): void {
    if (!this.#isAsking) {
      this.#isAsking = true;
      this.#subscription?.askAgain();
    }
  }

  #take(seq: number, header: Header): void {
    this.#seq = seq;
    this.header = header;
    this.onChange();
  }
}
