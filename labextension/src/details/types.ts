/** What the server tells of one thing. Times are seconds since the epoch. */

import type { ComputeItem, EndpointVersion, Parameters, ScheduleItem } from '../panel/types';
import type { Graph, Step } from '../runview/graph/types';

/** A published pipeline, or a name with versions of it. */
export type PipelineKind = 'pipeline' | 'endpoint';

/** Of an endpoint the steps and parameters are those of its default version. */
export interface PipelineDetails {
  id: string;
  name: string;
  description: string;
  status: string;
  address: string;
  created_at: number;
  version: string;
  parameters: Parameters;
  steps: Step[];
  graph: Graph;
  /** Of an endpoint, oldest first. */
  versions: EndpointVersion[];
  schedules: ScheduleItem[];
  /** The newest ones. */
  runs: { id: string; experiment: string; status: string; created_at: number }[];
}

export interface DatasetVersion {
  id: string;
  version: number;
  description: string;
  rows: number | null;
  columns: number | null;
  created_at: number;
}

export interface Use {
  run_id: string;
  experiment: string;
  status: string;
  created_at: number;
  roles: string[];
}

export interface DatasetDetails extends DatasetVersion {
  name: string;
  tags: Record<string, string>;
  fingerprint: string;
  origin: { reader: string; sources: string[]; steps: string[] };
  versions: DatasetVersion[];
  used_by: Use[];
  made_by: string | null;
  models: { name: string; version: number; run_id: string | null }[];
}

export interface Bin {
  low: number;
  high: number;
  count: number;
}

export interface ColumnStatistics {
  name: string;
  dtype: string;
  kind: string;
  count: number;
  missing_count: number;
  unique_count: number;
  min: number | string | null;
  max: number | string | null;
  mean: number | null;
  std: number | null;
  median: number | null;
  histogram: Bin[];
  top: [string, number][];
}

export type Cell = string | number | boolean | null;

export interface DatasetContent {
  profile: { n_rows: number; columns: ColumnStatistics[] };
  head: { columns: string[]; rows: Cell[][] };
  is_partial: boolean;
}

export interface ModelVersionItem {
  version: number;
  created_at: number;
  description: string;
  tags: Record<string, string>;
  framework: string;
  framework_version: string;
  /** The run that made it, mostly a child; none where it came from a file. */
  run_id: string | null;
  /** The run whose view shows it. */
  parent_id: string | null;
  metric: string | null;
  score: number | null;
  /** `None`, `Staging`, `Production` or `Archived`. */
  stage: string;
  aliases: string[];
}

/** A thing in the history of a model, with its place in pixels; `text` is all of its words. */
export interface LineageBox {
  kind: string;
  /** Empty for a box that counts others. */
  id: string;
  x: number;
  y: number;
  title: string;
  note: string;
  text: string;
}

export interface Lineage {
  width: number;
  height: number;
  box_width: number;
  box_height: number;
  boxes: LineageBox[];
  /** From a box to a box, by their places in `boxes`. */
  lines: [number, number][];
  text: string;
}

export interface ModelDetails {
  name: string;
  versions: ModelVersionItem[];
}

export interface SchemaColumn {
  name: string;
  dtype: string;
  is_nullable: boolean;
}

export interface ModelVersionDetails extends ModelVersionItem {
  name: string;
  properties: Record<string, string>;
  files: { name: string; size_bytes: number }[];
  metrics: Record<string, number | null>;
  minimized: string[];
  schema: { task: string | null; label: string | null; columns: SchemaColumn[] } | null;
  lineage: Lineage;
}

/** What people write about a thing. */
export interface Words {
  description?: string;
  tags?: Record<string, string>;
}

export interface NodeItem {
  id: string;
  /** `running`, or `idle`. */
  state: string;
  cores: number;
  memory_bytes: number;
  gpus?: number;
}

export interface ComputeDetails extends ComputeItem {
  list_nodes: NodeItem[];
}

export interface ComputeLog {
  text: string;
  /** Nodes that have a log of their own. */
  nodes: string[];
}
