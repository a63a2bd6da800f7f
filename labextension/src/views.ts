import { allExtras } from './extras';
import type { Plotter } from './runview/plotter';
import { LoggedView, allParts } from './runview/logged/parts';
import { isLogged } from './runview/model';
import type { Transport } from './runview/transport';
import type { Full } from './runview/types';
import { RunView } from './runview/view';

/** Shows a run in a place of its own. */
export type OpenRun = (run: string, workspace: string) => void;

/** The view of a run, whatever it does. */
export interface AnyView {
  readonly node: HTMLElement;
  readonly runId: string;
  offer(full: Full): void;
  dispose(): void;
}

/** Make the view that fits a run; `open` shows another one. */
export function viewOf(full: Full, transport: Transport, plotter: Plotter, open: OpenRun): AnyView {
  return isLogged(full)
    ? new LoggedView(full, transport, allParts(plotter, open))
    : new RunView(full, transport, plotter, allExtras);
}
