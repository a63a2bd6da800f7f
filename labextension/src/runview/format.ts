/** Numbers and times as people read them. */

/** A score with four decimals, or four significant digits where four decimals would hide it. */
export function score(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return '';
  }
  const size = Math.abs(value);
  if (size !== 0 && (size >= 10000 || size < 0.001)) {
    return value.toPrecision(4);
  }
  return value.toFixed(size >= 100 ? 2 : 4);
}

/** A score, or a dash where there is none. */
export function scoreOrDash(value: number | null): string {
  return value === null ? '–' : score(value);
}

/** Any value of a setting or a finding, on one line. */
export function plain(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A part of a whole in per cent. */
export function percent(part: number, whole: number): string {
  return whole ? `${((100 * part) / whole).toFixed(1)} %` : '';
}

/** A spread with the precision of its score or finer: two significant digits. */
export function spread(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return '';
  }
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
}

/** Seconds as `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (n: number): string => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

/** How long one trial took. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) {
    return '';
  }
  return seconds < 60 ? `${seconds.toFixed(1)} s` : clock(seconds);
}

export function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size >= 10 || unit === 0 ? size.toFixed(0) : size.toFixed(1)} ${units[unit] ?? ''}`;
}

/** A count with thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}

/** A moment in the reader's time zone: the time for today, else day and time. */
export function moment(seconds: number, now: Date = new Date()): string {
  const date = new Date(seconds * 1000);
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  if (date.toDateString() === now.toDateString()) {
    return time;
  }
  return `${date.toLocaleDateString([], { year: 'numeric', month: 'short', day: 'numeric' })} ${time}`;
}

/** The short form of a run id: its first eight letters after the prefix, or of a UUID. */
export function shortId(runId: string): string {
  const match = /^([A-Za-z]+_[0-9A-Za-z]{8}|[0-9a-f]{8}(?=-.{27}$))[0-9A-Za-z-]*$/.exec(runId);
  return match?.[1] ?? runId;
}

const STATUS_WORDS: Readonly<Record<string, string>> = {
  TimeLimit: 'Time limit',
  MemoryLimit: 'Memory limit',
  WorkerLost: 'Worker lost',
  NotStarted: 'Not started',
  CancelRequested: 'Stopping',
  NotResponding: 'Not responding',
  Finalizing: 'Finishing'
};

export function statusWords(status: string): string {
  return STATUS_WORDS[status] ?? status;
}
