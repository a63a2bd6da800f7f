import { ModelDeployments } from './deploy/deployments';
import { DriftView } from './deploy/drift';
import { DependenceChart } from './runview/explanation/dependence';
import { DataExplorer } from './runview/explanation/explorer';
import type { ExplanationPage } from './runview/explanation/part';
import { ExplanationTab } from './runview/explanation/tab';
import type { RunExtras } from './runview/extras';
import type { Plotter } from './runview/plotter';
import type { RunSource } from './runview/transport';

/** All that the view of a run can show. */
export function allExtras(source: RunSource): RunExtras {
  return {
    explanation: plotter => new ExplanationTab(source, plotter ? drawn(plotter) : []),
    deployments: (n, proposal) => new ModelDeployments(n, proposal, source, service => [new DriftView(service)])
  };
}

/** The pages of an explanation that are charts. */
export function drawn(plotter: Plotter): ExplanationPage[] {
  return [
    { label: 'Dependence', part: new DependenceChart(plotter) },
    { label: 'Explore', part: new DataExplorer(plotter) }
  ];
}
