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

/** What can be asked of one deployment. */
export interface DeploymentSource {
  get(): Promise<DeploymentDetails>;
  log(): Promise<{ text: string }>;
  send(body: unknown, probabilities: boolean): Promise<TryReply>;
  keys(): Promise<Keys>;
  renewKey(key: 'Primary' | 'Secondary'): Promise<Keys>;
  restart(): Promise<DeploymentDetails>;
  remove(): Promise<void>;
}

/** What can be asked about the deployments of a run's models. */
export interface DeploySource {
  deployed(n: number): Promise<Deployment[]>;
  deploy(n: number, name: string): Promise<Deployment>;
  deployment(name: string): DeploymentSource;
}
