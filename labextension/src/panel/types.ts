/** What a workspace holds, as the server lists it. */

export interface WorkspaceItem {
  name: string;
  root: string;
}

export interface DatasetItem {
  name: string;
  version: number;
  rows: number | null;
  columns: number | null;
  description: string;
  created_at: number;
}

export interface ComputeItem {
  name: string;
  kind: string;
}

export interface RunItem {
  id: string;
  experiment: string;
  name: string;
  type: string;
  status: string;
  is_live: boolean;
  created_at: number;
  ended_at: number | null;
  metric: string | null;
  score: number | null;
}

export interface ModelItem {
  name: string;
  version: number;
  description: string;
  run_id: string | null;
  created_at: number;
}

export interface Catalog {
  workspace: WorkspaceItem;
  datasets: DatasetItem[];
  computes: ComputeItem[];
  runs: RunItem[];
  models: ModelItem[];
}
