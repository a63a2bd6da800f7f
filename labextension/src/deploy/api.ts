/** Calls of the server extension about deployments. */

import type { Api } from '../api';
import type { Deployment, DeploymentDetails, DeploymentSource, Drift, Keys, TryReply } from './types';

const ROOT = 'deployments';

/** Deployments of a workspace; with a run, those that serve its models. */
export async function listDeployments(api: Api, workspace: string, run = ''): Promise<Deployment[]> {
  const { deployments } = (await api.call(ROOT, { workspace, run })) as { deployments: Deployment[] };
  return deployments;
}

export async function deployModel(api: Api, workspace: string, asked: object): Promise<Deployment> {
  return (await api.call(ROOT, { workspace }, asked)) as Deployment;
}

/** The server's answers about one deployment. */
export class DeploymentApi implements DeploymentSource {
  readonly #path: string;

  constructor(
    private readonly api: Api,
    private readonly workspace: string,
    name: string
  ) {
    this.#path = `${ROOT}/${encodeURIComponent(name)}`;
  }

  get(): Promise<DeploymentDetails> {
    return this.#ask('');
  }

  log(): Promise<{ text: string }> {
    return this.#ask('/log');
  }

  send(body: unknown, probabilities: boolean): Promise<TryReply> {
    return this.#ask('/try', { body, probabilities });
  }

  keys(): Promise<Keys> {
    return this.#ask('/keys');
  }

  renewKey(key: 'Primary' | 'Secondary'): Promise<Keys> {
    return this.#ask('/keys', { key });
  }

  drift(): Promise<Drift> {
    return this.#ask('/drift');
  }

  collect(isOn: boolean): Promise<Drift> {
    return this.#ask('/drift', { collect: isOn });
  }

  restart(): Promise<DeploymentDetails> {
    return this.#ask('/restart', {});
  }

  async remove(): Promise<void> {
    await this.api.call(this.#path, { workspace: this.workspace }, undefined, 'DELETE');
  }

  async #ask<T>(part: string, body?: object): Promise<T> {
    return (await this.api.call(this.#path + part, { workspace: this.workspace }, body)) as T;
  }
}
