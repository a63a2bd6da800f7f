/** Calls of the server extension over HTTP. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { RequestKind } from './runview/transport';
import type { RunError, TrialDetails } from './runview/types';

const ROOT = 'nbautoml/v1';

/** An error that the server explained. */
export class ApiError extends Error {
  constructor(readonly error: RunError) {
    super([error.message, error.hint].filter(Boolean).join(' '));
  }
}

export class Api {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  async trialDetails(runId: string, workspace: string, n: number): Promise<TrialDetails> {
    const path = `runs/${encodeURIComponent(runId)}/trials/${n}`;
    return (await this.call(path, workspace)) as TrialDetails;
  }

  async request(runId: string, workspace: string, kind: RequestKind, minutes?: number): Promise<void> {
    const body = minutes === undefined ? { kind } : { kind, minutes };
    await this.call(`runs/${encodeURIComponent(runId)}/requests`, workspace, {
      method: 'POST',
      body: JSON.stringify(body)
    });
  }

  private async call(path: string, workspace: string, init: RequestInit = {}): Promise<unknown> {
    const query = URLExt.objectToQueryString({ workspace });
    const url = URLExt.join(this.settings.baseUrl, ROOT, path) + query;
    const response = await ServerConnection.makeRequest(url, init, this.settings);
    const text = await response.text();
    const content = parse(text);
    if (!response.ok) {
      throw new ApiError(content.error ?? unexplained(response.status));
    }
    return content;
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
