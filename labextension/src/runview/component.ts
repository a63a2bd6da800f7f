import type { RunState } from './model';

/** A part of the view: it owns `node` and redraws it from the state. */
export interface Component {
  readonly node: Element;
  update(state: RunState): void;
}

/** What the parts may ask of the view. */
export interface Actions {
  select(n: number | null): void;
  finishNow(): Promise<void>;
  addMinutes(minutes: number): Promise<void>;
  cancel(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
}
