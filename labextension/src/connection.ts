import { ServerConnection } from '@jupyterlab/services';

import { Api } from './api';
import { EventSocket } from './events';
import type { RequestKind, RunListener, Subscription, Transport } from './runview/transport';
import type { TrialDetails } from './runview/types';

/** The run view's transport in JupyterLab and Notebook: our server extension. */
export class ServerTransport implements Transport {
  private readonly api: Api;
  private readonly events: EventSocket;

  constructor(settings: ServerConnection.ISettings = ServerConnection.makeSettings()) {
    this.api = new Api(settings);
    this.events = new EventSocket(settings);
  }

  watch(runId: string, workspace: string, listener: RunListener): Subscription {
    return this.events.watch(runId, workspace, listener);
  }

  request(runId: string, workspace: string, kind: RequestKind, minutes?: number): Promise<void> {
    return this.api.request(runId, workspace, kind, minutes);
  }

  details(runId: string, workspace: string, n: number): Promise<TrialDetails> {
    return this.api.trialDetails(runId, workspace, n);
  }
}
