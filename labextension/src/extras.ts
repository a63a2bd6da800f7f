import { ModelDeployments } from './deploy/deployments';
import { ExplanationTab } from './runview/explanation/tab';
import type { RunExtras } from './runview/extras';
import type { RunSource } from './runview/transport';

/** All that the view of a run can show. */
export function allExtras(source: RunSource): RunExtras {
  return {
    explanation: plotter => new ExplanationTab(source, plotter),
    deployments: (n, proposal) => new ModelDeployments(n, proposal, source)
  };
}
