import { allExtras } from './extras';
import type { Plotter } from './runview/plotter';
import { isLogged } from './runview/model';
import type { Transport } from './runview/transport';
import type { Full } from './runview/types';
import { RunView } from './runview/view';

/** The view of a run, whatever it does. */
export interface AnyView {
  readonly node: HTMLElement;
  readonly runId: string;
  offer(full: Full): void;
  dispose(): void;
}

/** Make the view that fits a run; the script of one that is no AutoML run is fetched first. */
export async function viewOf(full: Full, transport: Transport, plotter: Plotter): Promise<AnyView> {
  if (!isLogged(full)) {
    return new RunView(full, transport, plotter, allExtras);
  }
  const { LoggedView, allParts } = await import('./runview/logged/parts');
  return new LoggedView(full, transport, allParts(plotter));
}
