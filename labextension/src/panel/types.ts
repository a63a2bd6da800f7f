/** What a workspace holds, as the server lists it. Times are seconds since the epoch. */

import type { Deployment } from '../deploy/types';

export interface WorkspaceItem {
  name: string;
  root: string;
}

export interface WorkspaceFacts extends WorkspaceItem {
  /** What keeps its records, such as SQLite. */
  store: string;
  runs: number;
  experiments: number;
}

export interface DatasetItem {
  id: string;
  name: string;
  version: number;
  rows: number | null;
  columns: number | null;
  description: string;
  tags: Record<string, string>;
  created_at: number;
}

export interface ComputeItem {
  name: string;
  kind: string;
  state: string;
  /** Why it cannot be used. */
  problem: string;
  nodes: number | null;
  cores: number | null;
  memory_bytes: number | null;
  /** Graphics cards of a node. */
  gpus: number | null;
  /** Address of its Dask dashboard. */
  dashboard: string | null;
  /** Whether a cluster's process runs; null where there is none. */
  is_started: boolean | null;
  scale: Scale | null;
}

/** How many nodes a cluster may have. */
export interface Scale {
  min_nodes: number;
  max_nodes: number;
  idle_seconds: number;
}

export interface RunItem {
  id: string;
  experiment: string;
  name: string;
  type: string;
  status: string;
  reason: string;
  is_live: boolean;
  created_at: number;
  ended_at: number | null;
  metric: string | null;
  score: number | null;
  /** Number of its best model. */
  best: number | null;
  /** Of a pipeline: how many steps are done, and how many there are. */
  steps?: readonly [done: number, all: number] | null;
}

export interface ModelItem {
  name: string;
  version: number;
  description: string;
  tags: Record<string, string>;
  framework: string;
  run_id: string | null;
  created_at: number;
}

/** Name to default, as JSON. */
export type Parameters = Readonly<Record<string, unknown>>;

/** A pipeline that runs without the code that made it. */
export interface PipelineItem {
  id: string;
  name: string;
  version: string;
  description: string;
  status: string;
  created_at: number;
  /** Names of its steps. */
  steps: string[];
  parameters: Parameters;
  /** Names of the endpoints that have it as a version. */
  endpoints: string[];
  /** Where requests for it go. */
  address: string;
}

export interface EndpointVersion {
  version: string;
  is_default: boolean;
  pipeline_id: string;
  name: string;
  status: string;
  steps: string[];
  parameters: Parameters;
}

/** A name and an address behind which versions of a pipeline change. */
export interface EndpointItem {
  id: string;
  name: string;
  description: string;
  status: string;
  created_at: number;
  default_version: string;
  address: string;
  /** Oldest first. */
  versions: EndpointVersion[];
}

export interface ScheduleItem {
  id: string;
  name: string;
  description: string;
  status: string;
  experiment: string;
  pipeline_id: string | null;
  endpoint_id: string | null;
  /** The name of what it runs, and when, in words. */
  target: string;
  when: string;
  next_at: number | null;
  last_run_id: string | null;
  parameters: Parameters;
  /** Why the last run could not be submitted. */
  error: string;
}

export interface Catalog {
  pipelines: PipelineItem[];
  endpoints: EndpointItem[];
  schedules: ScheduleItem[];
  deployments: Deployment[];
  workspace: WorkspaceFacts;
  datasets: DatasetItem[];
  computes: ComputeItem[];
  runs: RunItem[];
  models: ModelItem[];
}
