import { allExtras } from './extras';
import { GraphTab } from './runview/graph/tab';
import { LoggedView, allParts, type MakeLead } from './runview/logged/parts';
import { isLogged } from './runview/model';
import type { Plotter } from './runview/plotter';
import type { Transport } from './runview/transport';
import type { Full } from './runview/types';
import { RunView } from './runview/view';

/** Shows a run in a place of its own. */
export type OpenRun = (run: string, workspace: string) => void;

/** A transport that has the views of all runs of a workspace. */
export interface RunsTransport extends Transport {
  run(runId: string, workspace: string): Promise<Full>;
}

/** The view of a run, whatever it does. */
export interface AnyView {
  readonly node: HTMLElement;
  readonly runId: string;
  offer(full: Full): void;
  dispose(): void;
}

/** Make the view that fits a run; `open` shows another one. */
export function viewOf(full: Full, transport: RunsTransport, plotter: Plotter, open: OpenRun): AnyView {
  if (!isLogged(full)) {
    return new RunView(full, transport, plotter, allExtras);
  }
  const isPipeline = full.header.kind === 'pipeline';
  return new LoggedView(full, transport, allParts(plotter, open, isPipeline ? graphOf(transport, plotter, open) : undefined));
}

/** The graph of a pipeline, in which the views of its steps open. */
function graphOf(transport: RunsTransport, plotter: Plotter, open: OpenRun): MakeLead {
  return (workspace, now) =>
    new GraphTab(now, {
      source: run => transport.of(run, workspace),
      view: async run => viewOf(await transport.run(run, workspace), transport, plotter, open),
      open: run => open(run, workspace)
    });
}
