import type { Plotter } from '../plotter';
import type { RunSource } from '../transport';
import { Charts } from './charts';
import { Children } from './children';
import { Images } from './images';
import { Outputs } from './outputs';
import { Tables } from './tables';
import { LoggedView, type LeadPart, type LoggedParts } from './view';

/** Makes the first tab of a view that has one of its own. */
export type MakeLead = (workspace: string, now: () => number) => LeadPart;

/** All that can be shown of what a run logged. */
export function allParts(
  plotter: Plotter,
  open: (run: string, workspace: string) => void,
  lead?: MakeLead
): (source: RunSource) => LoggedParts {
  return source => ({
    below: [new Charts(plotter), new Tables()],
    tabs: [...(lead ? [] : [new Images(source)]), new Outputs(source)],
    children: (workspace, now, onCount) => new Children(() => source.children(), now, onCount, run => open(run, workspace)),
    ...(lead ? { lead } : {})
  });
}

export { LoggedView };
