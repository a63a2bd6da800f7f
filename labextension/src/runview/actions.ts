import type { Actions } from './component';
import type { RunSource } from './transport';

/** What the buttons of a run do. */
export function actionsOf(source: RunSource, select: (n: number | null) => void): Actions {
  return {
    select,
    cancel: () => source.request('cancel'),
    pause: () => source.request('pause'),
    resume: () => source.request('resume'),
    finishNow: () => source.request('finish_now'),
    addMinutes: minutes => source.request('add_minutes', minutes)
  };
}
