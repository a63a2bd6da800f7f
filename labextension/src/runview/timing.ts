/** Elapsed time and time left, from a header and a moment on the server's clock. */

import type { Header } from './types';

/** Fewest ended iterations from which their pace says anything. */
const MIN_DONE = 3;

/** The moment that counts for limits: time stands still while the run is paused. */
function counted(header: Header, now: number): number {
  return header.paused_at ?? now;
}

export function elapsed(header: Header, now: number): number | null {
  if (header.started_at === null) {
    return null;
  }
  return Math.max(0, (header.ended_at ?? now) - header.started_at);
}

/** What will end the run if nothing else does, and in how many seconds. */
export interface End {
  seconds: number;
  by: 'time' | 'iterations';
}

/** The nearest limit; null when the run has ended or nothing bounds it. */
export function left(header: Header, now: number): End | null {
  const spent = elapsed(header, now);
  if (!header.is_live || spent === null) {
    return null;
  }
  const ends: End[] = [];
  if (header.deadline !== null) {
    ends.push({ seconds: Math.max(0, header.deadline - counted(header, now)), by: 'time' });
  }
  if (header.max_iterations !== null && header.n_done >= MIN_DONE) {
    const pace = spent / header.n_done;
    ends.push({ seconds: Math.max(0, pace * (header.max_iterations - header.n_done)), by: 'iterations' });
  }
  return ends.sort((a, b) => a.seconds - b.seconds)[0] ?? null;
}

/** Share of the nearest limit, 0 to 1, moved on from the header's own moment to `now`. */
export function progress(header: Header, now: number): number | null {
  const { progress: known, started_at: start, deadline } = header;
  if (!header.is_live || known === null || start === null || deadline === null || deadline <= start) {
    return known;
  }
  return Math.min(1, Math.max(known, (counted(header, now) - start) / (deadline - start)));
}

/** The server's clock, kept going between its messages. */
export class ServerClock {
  #offset = 0;

  constructor(private readonly local: () => number = () => Date.now() / 1000) {}

  sync(serverNow: number): void {
    this.#offset = serverNow - this.local();
  }

  now(): number {
    return this.local() + this.#offset;
  }
}
