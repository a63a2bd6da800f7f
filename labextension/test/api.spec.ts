import { describe, expect, it } from 'vitest';

import type { ServerConnection } from '@jupyterlab/services';

import { Api } from '../src/api';
import { RUN } from './fixtures';

interface Call {
  readonly url: string;
  readonly method: string;
  readonly body: string;
}

/** An API whose server answers always the same, and what it was asked. */
function serve(status: number, content: string): [Api, Call[]] {
  const calls: Call[] = [];
  const settings = {
    baseUrl: 'http://127.0.0.1:8888/user/me/',
    token: '',
    appendToken: false,
    init: {},
    Headers,
    Request,
    fetch: async (request: Request) => {
      calls.push({ url: request.url, method: request.method, body: await request.text() });
      return new Response(content, { status });
    }
  } as unknown as ServerConnection.ISettings;
  return [new Api(settings), calls];
}

describe('api', () => {
  it('asks for a trial of a workspace', async () => {
    const [api, calls] = serve(200, '{"n": 3}');
    expect(await api.of(RUN, '/home/me & co').details(3)).toEqual({ n: 3 });
    expect(calls[0]?.url).toContain(`/user/me/nbautoml/v1/runs/${RUN}/trials/3?workspace=%2Fhome%2Fme%20%26%20co`);
  });

  it('posts requests', async () => {
    const [api, calls] = serve(200, '{"seq": 1}');
    await api.of(RUN, '/w').request('add_minutes', 5);
    await api.of(RUN, '/w').request('cancel');
    expect(calls.map(c => [c.method, c.body])).toEqual([
      ['POST', '{"kind":"add_minutes","minutes":5}'],
      ['POST', '{"kind":"cancel"}']
    ]);
  });

  it('passes on what the server explains', async () => {
    const [api] = serve(409, '{"error": {"code": "conflict", "message": "It has ended.", "hint": "Too late."}}');
    await expect(api.of(RUN, '/w').request('cancel')).rejects.toThrow('It has ended. Too late.');
  });

  it('has words for an answer without an explanation', async () => {
    const [api] = serve(404, '<html>');
    await expect(api.of(RUN, '/w').request('cancel')).rejects.toThrow('jupyter server extension list');
  });
});
