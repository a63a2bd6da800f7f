import type { Plotter } from '../plotter';
import type { RunSource } from '../transport';
import { Charts } from './charts';
import { Children } from './children';
import { Images } from './images';
import { Outputs } from './outputs';
import { Tables } from './tables';
import { LoggedView, type LoggedParts } from './view';

/** All that can be shown of what a run logged. */
export function allParts(
  plotter: Plotter,
  open: (run: string, workspace: string) => void
): (source: RunSource) => LoggedParts {
  return source => ({
    below: [new Charts(plotter), new Tables()],
    tabs: [new Images(source), new Outputs(source)],
    children: (workspace, now, onCount) => new Children(() => source.children(), now, onCount, run => open(run, workspace))
  });
}

export { LoggedView };
