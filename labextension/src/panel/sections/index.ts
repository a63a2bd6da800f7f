import type { SectionKind } from '../item';
import { computeSection } from './compute';
import { datasetSection } from './datasets';
import { deploymentSection } from './deployments';
import { modelSection } from './models';
import { pipelineSection } from './pipelines';
import { runSection } from './runs';
import { workspaceSection } from './workspace';

/** All sections, in the order in which they are shown. */
export const SECTIONS: readonly SectionKind[] = [
  runSection,
  datasetSection,
  modelSection,
  pipelineSection,
  deploymentSection,
  computeSection,
  workspaceSection
];
