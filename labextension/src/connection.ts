import { ServerConnection } from '@jupyterlab/services';

import { Api } from './api';
import { EventSocket } from './events';
import type { RunListener, RunSource, Subscription } from './runview/transport';
import type { Full } from './runview/types';
import type { RunsTransport } from './views';

/** The run view's transport in JupyterLab and Notebook: our server extension. */
export class ServerTransport implements RunsTransport {
  readonly api: Api;
  readonly #events: EventSocket;

  constructor(settings: ServerConnection.ISettings = ServerConnection.makeSettings()) {
    this.api = new Api(settings);
    this.#events = new EventSocket(settings);
  }

  watch(runId: string, workspace: string, listener: RunListener): Subscription {
    return this.#events.watch(runId, workspace, listener);
  }

  run(runId: string, workspace: string): Promise<Full> {
    return this.api.run(runId, workspace);
  }

  of(runId: string, workspace: string): RunSource {
    return this.api.of(runId, workspace);
  }
}
