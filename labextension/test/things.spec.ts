import { describe, expect, it } from 'vitest';

import type { ServerConnection } from '@jupyterlab/services';

import { Api } from '../src/api';
import { ServerThings } from '../src/things';
import { RUN } from './fixtures';

function serve(status: number, content: string): [ServerThings, string[]] {
  const calls: string[] = [];
  const settings = {
    baseUrl: 'http://127.0.0.1:8888/user/me/',
    token: '',
    appendToken: false,
    init: {},
    Headers,
    Request,
    fetch: async (request: Request) => {
      const path = request.url.replace('http://127.0.0.1:8888/user/me/nbautoml/v1/', '');
      calls.push([request.method, path, await request.text()].filter(Boolean).join(' '));
      return new Response(content, { status });
    }
  } as unknown as ServerConnection.ISettings;
  return [new ServerThings(new Api(settings), '/w'), calls];
}

describe('things of the server', () => {
  it('are read, changed and removed by their own verbs', async () => {
    const [things, calls] = serve(200, '{"versions": 3}');
    await things.dataset('d 1');
    await things.content('d');
    await things.changeDataset('d', { tags: {} });
    expect(await things.unregister('d')).toBe(3);
    await things.model('m');
    await things.changeModel('m', 2, { description: 'x' });
    await things.deleteModel('m', 2);
    await things.compute('c');
    await things.scaleCompute('c', { min_nodes: 0, max_nodes: 2, idle_seconds: 9 });
    await things.turnCompute('c', 'stop');
    await things.deleteCompute('c');
    await things.computeLog('c', 'n 1');
    await things.ask(RUN, 'cancel');
    await things.register(RUN, 3, 'm', '');
    await things.pipeline('endpoint', 'e');
    await things.runPipeline('pipeline', 'p', { experiment: 'x' });
    await things.changePipeline('schedule', 's', { enabled: false });
    expect(calls).toEqual([
      'GET datasets/d%201?workspace=%2Fw',
      'GET datasets/d/content?workspace=%2Fw',
      'PATCH datasets/d?workspace=%2Fw {"tags":{}}',
      'DELETE datasets/d?workspace=%2Fw',
      'GET models/m?workspace=%2Fw',
      'PATCH models/m/versions/2?workspace=%2Fw {"description":"x"}',
      'DELETE models/m/versions/2?workspace=%2Fw',
      'GET computes/c?workspace=%2Fw',
      'PATCH computes/c?workspace=%2Fw {"min_nodes":0,"max_nodes":2,"idle_seconds":9}',
      'POST computes/c/stop?workspace=%2Fw {}',
      'DELETE computes/c?workspace=%2Fw',
      'GET computes/c/log?workspace=%2Fw&node=n%201',
      `POST runs/${RUN}/requests?workspace=%2Fw {"kind":"cancel"}`,
      `POST runs/${RUN}/trials/3/register?workspace=%2Fw {"name":"m","description":""}`,
      'GET endpoints/e?workspace=%2Fw',
      'POST pipelines/p/runs?workspace=%2Fw {"experiment":"x"}',
      'PATCH schedules/s?workspace=%2Fw {"enabled":false}'
    ]);
  });

  it('have addresses for what the browser saves', () => {
    const [things] = serve(200, '{}');
    expect(things.archive('m', 1)).toContain('/nbautoml/v1/models/m/versions/1/archive?workspace=%2Fw');
    expect(things.modelFile('m', 1, 'outputs/a b#.txt')).toContain('/versions/1/files/outputs/a%20b%23.txt?workspace=');
  });

  it('pass on what the server explains', async () => {
    const [things] = serve(404, '{"error": {"code": "not_found", "message": "No model.", "hint": ""}}');
    await expect(things.deleteModel('m', 1)).rejects.toThrow('No model.');
  });
});
