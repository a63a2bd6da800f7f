/** A deployment, as the server tells of it. */
export interface Deployment {
  name: string;
  /** `Transitioning`, `Healthy`, `Unhealthy`, `Failed` or `Unreachable`. */
  state: string;
  /** Whether what was asked for last is served, or will not be. */
  is_settled: boolean;
  error: string;
  models: string[];
  run_ids: string[];
  address: string;
  created_at: number;
  description: string;
  restarts: number;
}

export interface DeploymentDetails extends Deployment {
  /** A row of the training data. */
  sample: Record<string, unknown> | null;
  needs_key: boolean;
  /** A line for a shell, in which `KEY` stands for a key. */
  curl: string;
  /** Python for a cell. */
  code: string;
}

export interface Keys {
  primary: string;
  secondary: string;
}

export interface TryReply {
  status: number;
  reply: unknown;
  seconds: number;
}

/** How far a column of requests is from the training data. */
export interface ColumnDrift {
  name: string;
  kind: string;
  /** Population stability index. */
  psi: number;
  /** `stable`, `moderate`, `strong` or `too few rows`. */
  verdict: string;
  missing_then: number;
  missing_now: number;
  unseen: number;
}

export interface DriftReport {
  model: string;
  n_rows: number;
  n_requests: number;
  columns: ColumnDrift[];
  prediction: ColumnDrift | null;
}

export interface Drift {
  is_collecting: boolean;
  report: DriftReport | null;
  /** Why there is no report. */
  reason: string;
}

/** What can be asked of one deployment. */
export interface DeploymentSource {
  get(): Promise<DeploymentDetails>;
  log(): Promise<{ text: string }>;
  send(body: unknown, probabilities: boolean): Promise<TryReply>;
  keys(): Promise<Keys>;
  renewKey(key: 'Primary' | 'Secondary'): Promise<Keys>;
  drift(): Promise<Drift>;
  collect(isOn: boolean): Promise<Drift>;
  restart(): Promise<DeploymentDetails>;
  remove(): Promise<void>;
}

/** What can be asked about the deployments of a run's models. */
export interface DeploySource {
  deployed(n: number): Promise<Deployment[]>;
  deploy(n: number, name: string): Promise<Deployment>;
  deployment(name: string): DeploymentSource;
}
