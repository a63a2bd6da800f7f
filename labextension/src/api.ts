/** Calls of the server extension over HTTP. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { DeploymentApi, deployModel, listDeployments } from './deploy/api';
import type { Deployment, DeploymentSource } from './deploy/types';
import type { Catalog, WorkspaceItem } from './panel/types';
import type { Cell, ExplanationAnswer, WhatIfAnswer } from './runview/explanation/types';
import type { ModelCharts } from './runview/plotter';
import type { ChildRuns, Logged } from './runview/logged/types';
import type { RequestKind, RunSource } from './runview/transport';
import type { Full, ModelVersion, RunCode, RunColumns, RunError, RunLog, Scores, TrialDetails } from './runview/types';

const ROOT = 'nbautoml/v1';

/** An error that the server explained. */
export class ApiError extends Error {
  constructor(readonly error: RunError) {
    super([error.message, error.hint].filter(Boolean).join(' '));
  }
}

export class Api {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  of(runId: string, workspace: string): RunSource {
    return new RunApi(this, runId, workspace);
  }

  async workspaces(): Promise<WorkspaceItem[]> {
    const { workspaces } = (await this.call('workspaces', {})) as { workspaces: WorkspaceItem[] };
    return workspaces;
  }

  /** What a workspace holds, with its newest runs: so many at most. */
  async catalog(workspace: string, runs: number): Promise<Catalog> {
    return (await this.call('catalog', { workspace, runs: String(runs) })) as Catalog;
  }

  async run(runId: string, workspace: string): Promise<Full> {
    return (await this.call(`runs/${encodeURIComponent(runId)}`, { workspace })) as Full;
  }

  /** Where a page of the browser finds something. */
  address(path: string, query: Readonly<Record<string, string>>): string {
    return URLExt.join(this.settings.baseUrl, ROOT, path) + URLExt.objectToQueryString(query);
  }

  async call(
    path: string,
    query: Readonly<Record<string, string>>,
    body?: object,
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE' = body ? 'POST' : 'GET'
  ): Promise<unknown> {
    const init = body ? { method, body: JSON.stringify(body) } : { method };
    const response = await ServerConnection.makeRequest(this.address(path, query), init, this.settings);
    const content = parse(await response.text());
    if (!response.ok) {
      throw new ApiError(content.error ?? unexplained(response.status));
    }
    return content;
  }
}

/** The server's answers about one run. */
class RunApi implements RunSource {
  readonly #path: string;

  constructor(
    private readonly api: Api,
    private readonly runId: string,
    private readonly workspace: string
  ) {
    this.#path = `runs/${encodeURIComponent(runId)}`;
  }

  async request(kind: RequestKind, minutes?: number): Promise<void> {
    await this.#post('requests', minutes === undefined ? { kind } : { kind, minutes });
  }

  columns(): Promise<RunColumns> {
    return this.#get('columns');
  }

  code(): Promise<RunCode> {
    return this.#get('code');
  }

  scores(metric: string): Promise<Scores> {
    return this.#get('scores', { metric });
  }

  log(after: number): Promise<RunLog> {
    return this.#get('log', { after: String(after) });
  }

  logged(): Promise<Logged> {
    return this.#get('logged');
  }

  children(): Promise<ChildRuns> {
    return this.#get('children');
  }

  details(n: number): Promise<TrialDetails> {
    return this.#get(`trials/${n}`);
  }

  charts(n: number): Promise<ModelCharts> {
    return this.#get(`trials/${n}/charts`);
  }

  explanation(n: number): Promise<ExplanationAnswer> {
    return this.#get(`trials/${n}/explanation`);
  }

  async explain(n: number): Promise<ExplanationAnswer> {
    return (await this.#post(`trials/${n}/explain`, {})) as ExplanationAnswer;
  }

  async whatIf(n: number, row: number, changes: Record<string, Cell>): Promise<WhatIfAnswer> {
    return (await this.#post(`trials/${n}/whatif`, { row, changes })) as WhatIfAnswer;
  }

  script(n: number): Promise<{ script: string }> {
    return this.#get(`trials/${n}/script`);
  }

  async register(n: number, name: string, description: string): Promise<ModelVersion> {
    return (await this.#post(`trials/${n}/register`, { name, description })) as ModelVersion;
  }

  deployed(n: number): Promise<Deployment[]> {
    return listDeployments(this.api, this.workspace, `${this.runId}_${n}`);
  }

  deploy(n: number, name: string): Promise<Deployment> {
    return deployModel(this.api, this.workspace, { name, run_id: this.runId, number: n });
  }

  deployment(name: string): DeploymentSource {
    return new DeploymentApi(this.api, this.workspace, name);
  }

  leaderboard(): string {
    return this.#address('leaderboard.csv');
  }

  chartPage(n: number, name: string): string {
    return this.#address(`trials/${n}/charts/${encodeURIComponent(name)}`);
  }

  file(n: number, name: string): string {
    return this.#address(`trials/${n}/files/${encoded(name)}`);
  }

  archive(n: number): string {
    return this.#address(`trials/${n}/archive`);
  }

  stored(name: string): string {
    return this.#address(`files/${encoded(name)}`);
  }

  #address(part: string): string {
    return this.api.address(`${this.#path}/${part}`, { workspace: this.workspace });
  }

  async #get<T>(part: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    return (await this.api.call(`${this.#path}/${part}`, { workspace: this.workspace, ...query })) as T;
  }

  #post(part: string, body: object): Promise<unknown> {
    return this.api.call(`${this.#path}/${part}`, { workspace: this.workspace }, body);
  }
}

/** A file's name as a part of an address. */
function encoded(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}

function parse(text: string): { error?: RunError } {
  try {
    return JSON.parse(text) as { error?: RunError };
  } catch {
    return {};
  }
}

function unexplained(status: number): RunError {
  const isMissing = status === 404;
  return {
    code: String(status),
    message: `The server answered with status ${status}.`,
    hint: isMissing ? 'Check that "jupyter server extension list" shows nbautoml.labserver.' : ''
  };
}
