import type { Component } from './component';
import type { Plotter } from './plotter';

/** A tab that a home may add. */
export interface ExtraTab extends Component {
  setOpen(isOpen: boolean): void;
  /** Show the model that is chosen in the leaderboard. */
  select(n: number | null): void;
  dispose(): void;
}

/** What can be added to the actions of a model: a button, and what it opens. */
export interface ExtraActions {
  readonly open: Element;
  readonly node: Element;
}

/** Parts of the view that a home brings, with the pages that it can draw. */
export interface RunExtras {
  explanation?(plotter: Plotter | null): ExtraTab;
  deployments?(n: number, proposal: string): ExtraActions;
}
