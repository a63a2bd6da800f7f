import { ServerConnection } from '@jupyterlab/services';

import { Api } from './api';
import { EventSocket } from './events';
import type { RunListener, RunSource, Subscription, Transport } from './runview/transport';

/** The run view's transport in JupyterLab and Notebook: our server extension. */
export class ServerTransport implements Transport {
  readonly api: Api;
  readonly #events: EventSocket;

  constructor(settings: ServerConnection.ISettings = ServerConnection.makeSettings()) {
    this.api = new Api(settings);
    this.#events = new EventSocket(settings);
  }

  watch(runId: string, workspace: string, listener: RunListener): Subscription {
    return this.#events.watch(runId, workspace, listener);
  }

  of(runId: string, workspace: string): RunSource {
    return this.api.of(runId, workspace);
  }
}
