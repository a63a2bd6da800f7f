/** What can be read and changed of the things of one workspace. */

import type { Api } from './api';
import { DeploymentApi } from './deploy/api';
import type { ComputeDetails, ComputeLog, DatasetContent, DatasetDetails, ModelDetails, ModelVersionDetails, PipelineDetails, PipelineKind, Words } from './details/types';
import type { Scale } from './panel/types';
import type { RequestKind } from './runview/transport';
import type { ModelVersion } from './runview/types';

/** The things of a workspace, behind the server; tests have others. */
export interface Things {
  dataset(id: string): Promise<DatasetDetails>;
  content(id: string): Promise<DatasetContent>;
  changeDataset(id: string, words: Words): Promise<void>;
  /** Take its name off all versions of a dataset; returns how many. */
  unregister(id: string): Promise<number>;
  model(name: string): Promise<ModelDetails>;
  modelVersion(name: string, version: number): Promise<ModelVersionDetails>;
  changeModel(name: string, version: number, words: Words): Promise<void>;
  deleteModel(name: string, version: number): Promise<void>;
  ask(runId: string, kind: RequestKind): Promise<void>;
  register(runId: string, n: number, name: string, description: string): Promise<ModelVersion>;
  compute(name: string): Promise<ComputeDetails>;
  scaleCompute(name: string, scale: Scale): Promise<void>;
  turnCompute(name: string, turn: 'start' | 'stop'): Promise<void>;
  deleteCompute(name: string): Promise<void>;
  /** The end of a log of a cluster: its own, or a node's. */
  computeLog(name: string, node: string): Promise<ComputeLog>;
  restartDeployment(name: string): Promise<void>;
  deleteDeployment(name: string): Promise<void>;
  pipeline(kind: PipelineKind, id: string): Promise<PipelineDetails>;
  /** Start it with values of parameters; returns the id of the run. */
  runPipeline(kind: PipelineKind, id: string, asked: object): Promise<string>;
  /** Enable or disable it, or choose another default version. */
  changePipeline(kind: PipelineKind | 'schedule', id: string, change: object): Promise<void>;
  /** Addresses of files to keep. */
  archive(name: string, version: number): string;
  modelFile(name: string, version: number, file: string): string;
}

export class ServerThings implements Things {
  constructor(
    private readonly api: Api,
    private readonly workspace: string
  ) {}

  dataset(id: string): Promise<DatasetDetails> {
    return this.#get(pathOf('datasets', id));
  }

  content(id: string): Promise<DatasetContent> {
    return this.#get(pathOf('datasets', id, 'content'));
  }

  async changeDataset(id: string, words: Words): Promise<void> {
    await this.#change('PATCH', pathOf('datasets', id), words);
  }

  async unregister(id: string): Promise<number> {
    const { versions } = (await this.#change('DELETE', pathOf('datasets', id))) as { versions: number };
    return versions;
  }

  model(name: string): Promise<ModelDetails> {
    return this.#get(pathOf('models', name));
  }

  modelVersion(name: string, version: number): Promise<ModelVersionDetails> {
    return this.#get(versionPath(name, version));
  }

  async changeModel(name: string, version: number, words: Words): Promise<void> {
    await this.#change('PATCH', versionPath(name, version), words);
  }

  async deleteModel(name: string, version: number): Promise<void> {
    await this.#change('DELETE', versionPath(name, version));
  }

  ask(runId: string, kind: RequestKind): Promise<void> {
    return this.api.of(runId, this.workspace).request(kind);
  }

  register(runId: string, n: number, name: string, description: string): Promise<ModelVersion> {
    return this.api.of(runId, this.workspace).register(n, name, description);
  }

  compute(name: string): Promise<ComputeDetails> {
    return this.#get(pathOf('computes', name));
  }

  async scaleCompute(name: string, scale: Scale): Promise<void> {
    await this.#change('PATCH', pathOf('computes', name), scale);
  }

  async turnCompute(name: string, turn: 'start' | 'stop'): Promise<void> {
    await this.#change('POST', pathOf('computes', name, turn), {});
  }

  async deleteCompute(name: string): Promise<void> {
    await this.#change('DELETE', pathOf('computes', name));
  }

  computeLog(name: string, node: string): Promise<ComputeLog> {
    return this.#get(pathOf('computes', name, 'log'), { node });
  }

  async restartDeployment(name: string): Promise<void> {
    await new DeploymentApi(this.api, this.workspace, name).restart();
  }

  deleteDeployment(name: string): Promise<void> {
    return new DeploymentApi(this.api, this.workspace, name).remove();
  }

  pipeline(kind: PipelineKind, id: string): Promise<PipelineDetails> {
    return this.#get(pathOf(`${kind}s`, id));
  }

  async runPipeline(kind: PipelineKind, id: string, asked: object): Promise<string> {
    const { run_id: run } = (await this.#change('POST', pathOf(`${kind}s`, id, 'runs'), asked)) as { run_id: string };
    return run;
  }

  async changePipeline(kind: PipelineKind | 'schedule', id: string, change: object): Promise<void> {
    await this.#change('PATCH', pathOf(`${kind}s`, id), change);
  }

  archive(name: string, version: number): string {
    return this.#address(`${versionPath(name, version)}/archive`);
  }

  modelFile(name: string, version: number, file: string): string {
    const parts = file.split('/').map(encodeURIComponent).join('/');
    return this.#address(`${versionPath(name, version)}/files/${parts}`);
  }

  #address(path: string): string {
    return this.api.address(path, { workspace: this.workspace });
  }

  async #get<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    return (await this.api.call(path, { workspace: this.workspace, ...query })) as T;
  }

  #change(method: 'PATCH' | 'DELETE' | 'POST', path: string, body?: object): Promise<unknown> {
    return this.api.call(path, { workspace: this.workspace }, body, method);
  }
}

function versionPath(name: string, version: number): string {
  return pathOf('models', name, 'versions', String(version));
}

function pathOf(...parts: readonly string[]): string {
  return parts.map(encodeURIComponent).join('/');
}
