import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { ServerConnection } from '@jupyterlab/services';

import { EventSocket } from '../src/events';
import type { RunListener } from '../src/runview/transport';
import { frame, full, RUN } from './fixtures';

class FakeSocket {
  static made: FakeSocket[] = [];
  readyState = 0;
  readonly sent: { sub?: string; unsub?: string; since?: number; workspace?: string }[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

class Listener implements RunListener {
  seq = 10;
  heard: string[] = [];
  lastSeq = (): number => this.seq;
  onFull = (): void => void this.heard.push('full');
  onFrame = (): void => void this.heard.push('frame');
  onError = (): void => void this.heard.push('error');
  onConnection = (isConnected: boolean): void => void this.heard.push(isConnected ? 'up' : 'down');
}

const settings = {
  wsUrl: 'ws://127.0.0.1:8888/user/me/',
  token: 's p',
  appendToken: true,
  WebSocket: FakeSocket
} as unknown as ServerConnection.ISettings;

let events: EventSocket;
const last = (): FakeSocket => FakeSocket.made[FakeSocket.made.length - 1]!;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  events = new EventSocket(settings, () => 0.5);
});
afterEach(() => void vi.useRealTimers());

describe('the page its one socket', () => {
  it('goes below the base URL, with the token', () => {
    events.watch(RUN, '/w', new Listener());
    expect(last().url).toBe('ws://127.0.0.1:8888/user/me/nbautoml/v1/events?token=s%20p');
  });

  it('is shared by all views', () => {
    events.watch(RUN, '/w', new Listener());
    events.watch('other', '/w', new Listener());
    last().open();
    events.watch('third', '/w', new Listener());
    expect(FakeSocket.made).toHaveLength(1);
    expect(last().sent.map(m => m.sub)).toEqual([RUN, 'other', 'third']);
  });

  it('hands each message to the views of its run', () => {
    const [mine, other] = [new Listener(), new Listener()];
    events.watch(RUN, '/w', mine);
    events.watch('other', '/w', other);
    last().open();
    last().say({ run: RUN, full: full() });
    last().say(frame(10, 11));
    last().say({ run: RUN, workspace: '/w', error: { code: 'x', message: 'm', hint: '' } });
    last().say({ run: RUN, workspace: '/elsewhere', error: { code: 'x', message: 'm', hint: '' } });
    last().onmessage?.({ data: 'no json' });
    expect(mine.heard).toEqual(['up', 'full', 'frame', 'error']);
    expect(other.heard).toEqual(['up']);
  });

  it('comes back after a loss and asks from the last event', () => {
    const listener = new Listener();
    events.watch(RUN, '/w', listener);
    last().open();
    listener.seq = 42;
    last().close();
    expect(listener.heard).toEqual(['up', 'down']);
    vi.advanceTimersByTime(499);
    expect(FakeSocket.made).toHaveLength(1);
    vi.advanceTimersByTime(1);
    last().open();
    expect(last().sent).toEqual([{ sub: RUN, workspace: '/w', since: 42 }]);
  });

  it('waits longer after each failure, up to half a minute', () => {
    events.watch(RUN, '/w', new Listener());
    const waits: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      const before = FakeSocket.made.length;
      last().close();
      let waited = 0;
      while (FakeSocket.made.length === before) {
        vi.advanceTimersByTime(500);
        waited += 500;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  });

  it('asks again for everything, and later for a run that could not be followed', () => {
    const subscription = events.watch(RUN, '/w', new Listener());
    last().open();
    subscription.askAgain();
    last().say({ run: RUN, error: { code: 'x', message: 'm', hint: '' } });
    vi.advanceTimersByTime(15_000);
    expect(last().sent.map(m => m.since)).toEqual([10, 0, 10]);
  });

  it('lets a run go with its last view, and closes with the last run', () => {
    const first = events.watch(RUN, '/w', new Listener());
    const second = events.watch(RUN, '/w', new Listener());
    last().open();
    first.dispose();
    expect(last().sent.some(m => m.unsub)).toBe(false);
    second.dispose();
    expect(last().sent.some(m => m.unsub === RUN)).toBe(true);
    expect(last().readyState).toBe(3);
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.made).toHaveLength(1);
  });
});
