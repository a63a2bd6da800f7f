/** The page's one websocket: runs are watched over it, whatever the number of views. */

import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';

import type { RunListener, Subscription } from './runview/transport';
import type { Frame, Full, RunError } from './runview/types';

const PATH = 'nbautoml/v1/events';
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
/** A run that could not be followed is asked for again: its workspace may come back. */
const ASK_AGAIN_MS = 15_000;

interface Watched {
  readonly runId: string;
  readonly workspace: string;
  readonly listeners: Set<RunListener>;
}

type Message = { run?: string; workspace?: string } & ({ full: Full } | { error: RunError } | Frame);

export class EventSocket {
  #socket: WebSocket | null = null;
  readonly #watched = new Map<string, Watched>();
  #failures = 0;
  #retry: number | null = null;

  constructor(
    private readonly settings: ServerConnection.ISettings,
    private readonly random: () => number = Math.random
  ) {}

  watch(runId: string, workspace: string, listener: RunListener): Subscription {
    const key = `${workspace}\n${runId}`;
    const entry = this.#watched.get(key) ?? { runId, workspace, listeners: new Set<RunListener>() };
    entry.listeners.add(listener);
    this.#watched.set(key, entry);
    if (this.#isOpen()) {
      listener.onConnection(true);
      this.#subscribe(entry, listener.lastSeq());
    } else {
      this.#connect();
    }
    return {
      askAgain: () => this.#subscribe(entry, 0),
      dispose: () => this.#leave(key, entry, listener)
    };
  }

  #isOpen(): boolean {
    return this.#socket?.readyState === 1;
  }

  #connect(): void {
    if (this.#socket || this.#retry !== null) {
      return;
    }
    const { wsUrl, token, appendToken } = this.settings;
    let url = URLExt.join(wsUrl, PATH);
    if (appendToken && token !== '') {
      url += `?token=${encodeURIComponent(token)}`;
    }
    const socket = new this.settings.WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => this.#onOpen();
    socket.onmessage = event => this.#onMessage(event);
    socket.onclose = () => this.#onClose(socket);
  }

  #onOpen(): void {
    this.#failures = 0;
    for (const entry of this.#watched.values()) {
      this.#tell(entry, listener => listener.onConnection(true));
      this.#subscribe(entry, firstSeq(entry));
    }
  }

  #onMessage(event: MessageEvent): void {
    const message = parse(event.data);
    if (!message?.run) {
      return;
    }
    for (const entry of this.#watched.values()) {
      if (entry.runId === message.run && (message.workspace ?? entry.workspace) === entry.workspace) {
        this.#tell(entry, listener => deliver(message, listener));
        if ('error' in message) {
          this.#askLater(entry);
        }
      }
    }
  }

  #askLater(entry: Watched): void {
    window.setTimeout(() => {
      if (entry.listeners.size) {
        this.#subscribe(entry, firstSeq(entry));
      }
    }, ASK_AGAIN_MS);
  }

  #onClose(socket: WebSocket): void {
    if (socket !== this.#socket) {
      return;
    }
    this.#socket = null;
    for (const entry of this.#watched.values()) {
      this.#tell(entry, listener => listener.onConnection(false));
    }
    if (this.#watched.size) {
      const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures) * (0.75 + this.random() / 2);
      this.#failures += 1;
      this.#retry = window.setTimeout(() => {
        this.#retry = null;
        this.#connect();
      }, wait);
    }
  }

  #leave(key: string, entry: Watched, listener: RunListener): void {
    entry.listeners.delete(listener);
    if (entry.listeners.size || this.#watched.get(key) !== entry) {
      return;
    }
    this.#watched.delete(key);
    this.#send({ unsub: entry.runId, workspace: entry.workspace });
    if (!this.#watched.size) {
      this.#close();
    }
  }

  /** The last view has gone: so does the socket. */
  #close(): void {
    if (this.#retry !== null) {
      window.clearTimeout(this.#retry);
      this.#retry = null;
    }
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #subscribe(entry: Watched, since: number): void {
    this.#send({ sub: entry.runId, workspace: entry.workspace, since });
  }

  #send(message: object): void {
    if (this.#isOpen()) {
      this.#socket?.send(JSON.stringify(message));
    }
  }

  #tell(entry: Watched, call: (listener: RunListener) => void): void {
    for (const listener of [...entry.listeners]) {
      call(listener);
    }
  }
}

function firstSeq(entry: Watched): number {
  return Math.min(...[...entry.listeners].map(listener => listener.lastSeq()));
}

function parse(data: unknown): Message | null {
  try {
    return JSON.parse(String(data)) as Message;
  } catch {
    return null;
  }
}

function deliver(message: Message, listener: RunListener): void {
  if ('full' in message) {
    listener.onFull(message.full);
  } else if ('error' in message) {
    listener.onError(message.error);
  } else {
    listener.onFrame(message);
  }
}
