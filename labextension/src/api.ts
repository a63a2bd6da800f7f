/** Calls of the server extension over HTTP. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { Catalog, WorkspaceItem } from './panel/types';
import type { ModelCharts } from './runview/plotter';
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
    return new RunApi(this, `runs/${encodeURIComponent(runId)}`, workspace);
  }

  async workspaces(): Promise<WorkspaceItem[]> {
    const { workspaces } = (await this.call('workspaces', {})) as { workspaces: WorkspaceItem[] };
    return workspaces;
  }

  async catalog(workspace: string): Promise<Catalog> {
    return (await this.call('catalog', { workspace })) as Catalog;
  }

  async run(runId: string, workspace: string): Promise<Full> {
    return (await this.call(`runs/${encodeURIComponent(runId)}`, { workspace })) as Full;
  }

  /** Where a page of the browser finds something. */
  address(path: string, query: Readonly<Record<string, string>>): string {
    return URLExt.join(this.settings.baseUrl, ROOT, path) + URLExt.objectToQueryString(query);
  }

  async call(path: string, query: Readonly<Record<string, string>>, body?: object): Promise<unknown> {
    const init = body ? { method: 'POST', body: JSON.stringify(body) } : {};
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
  constructor(
    private readonly api: Api,
    private readonly path: string,
    private readonly workspace: string
  ) {}

  async request(kind: RequestKind, minutes?: number): Promise<void> {
    await this.post('requests', minutes === undefined ? { kind } : { kind, minutes });
  }

  columns(): Promise<RunColumns> {
    return this.get('columns');
  }

  code(): Promise<RunCode> {
    return this.get('code');
  }

  scores(metric: string): Promise<Scores> {
    return this.get('scores', { metric });
  }

  log(after: number): Promise<RunLog> {
    return this.get('log', { after: String(after) });
  }

  details(n: number): Promise<TrialDetails> {
    return this.get(`trials/${n}`);
  }

  charts(n: number): Promise<ModelCharts> {
    return this.get(`trials/${n}/charts`);
  }

  script(n: number): Promise<{ script: string }> {
    return this.get(`trials/${n}/script`);
  }

  async register(n: number, name: string, description: string): Promise<ModelVersion> {
    return (await this.post(`trials/${n}/register`, { name, description })) as ModelVersion;
  }

  leaderboard(): string {
    return this.address('leaderboard.csv');
  }

  chartPage(n: number, name: string): string {
    return this.address(`trials/${n}/charts/${encodeURIComponent(name)}`);
  }

  file(n: number, name: string): string {
    return this.address(`trials/${n}/files/${name.split('/').map(encodeURIComponent).join('/')}`);
  }

  private address(part: string): string {
    return this.api.address(`${this.path}/${part}`, { workspace: this.workspace });
  }

  private async get<T>(part: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    return (await this.api.call(`${this.path}/${part}`, { workspace: this.workspace, ...query })) as T;
  }

  private post(part: string, body: object): Promise<unknown> {
    return this.api.call(`${this.path}/${part}`, { workspace: this.workspace }, body);
  }
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
