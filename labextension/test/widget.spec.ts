import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import widget from '../src/widget';
import { PicturePlotter } from '../src/widget/plotter';
import { WidgetTransport, type Model } from '../src/widget/transport';
import { explanation, FakeDeployment, full, header, trial } from './fixtures';

type Listener = Parameters<Model['on']>[1];

class FakeModel implements Model {
  readonly sent: Record<string, unknown>[] = [];
  readonly listeners = new Set<Listener>();

  constructor(readonly snapshot: unknown) {}

  get(): unknown {
    return this.snapshot;
  }

  send(content: unknown): void {
    this.sent.push(content as Record<string, unknown>);
  }

  on(_name: string, callback: Listener): void {
    this.listeners.add(callback);
  }

  off(_name: string, callback: Listener): void {
    this.listeners.delete(callback);
  }

  say(message: Parameters<Listener>[0]): void {
    this.listeners.forEach(listener => listener(message));
  }
}

let model: FakeModel;
let el: HTMLElement;

beforeEach(() => {
  vi.useFakeTimers();
  model = new FakeModel(full());
  el = document.createElement('div');
  document.body.append(el);
});

afterEach(() => {
  el.remove();
  vi.useRealTimers();
});

describe('the widget', () => {
  it('says where the graph of a pipeline is', () => {
    const snapshot = full({ trials: [], header: header({ kind: 'pipeline', metric: null, best: null, steps: [1, 4], text: '1 of 4 steps done' }) });
    const close = widget.render({ model: new FakeModel(snapshot), el });
    expect(el.textContent).toContain('1 of 4 steps done');
    expect(el.textContent).toContain("RunDetails(run).show(widget_settings={'view': 'page'})");
    close();
  });

  it('follows the run over the kernel and lets go of it', () => {
    const close = widget.render({ model, el });
    expect(model.sent[0]).toEqual({ since: full().seq });
    const seq = full().seq;
    model.say({ event: { run: full().run_id, from: seq, seq: seq + 1, trials: [], header: header({ text: 'Iteration 9' }) } as never });
    vi.advanceTimersByTime(20);
    expect(el.textContent).toContain('Iteration 9');
    close();
    expect(model.sent[model.sent.length - 1]).toEqual({ leave: true });
    expect(model.listeners.size).toBe(0);
    expect(el.childElementCount).toBe(0);
  });

  it('explains a model, and deploys it, through the kernel', async () => {
    widget.render({ model, el });
    const press = (text: string): void => [...el.querySelectorAll('button')].find(b => b.textContent === text)?.click();
    const reply = async (ask: string, value: unknown): Promise<void> => {
      const asked = model.sent.find(message => message['ask'] === ask);
      model.say({ answer: asked?.['id'] as number, value });
      await vi.advanceTimersByTimeAsync(20);
    };
    press('Explanation');
    await reply('explanation', { n: 1, state: 'none', text: '', explanation: null });
    press('Explain this model');
    await reply('explain', { n: 1, state: 'done', text: '', explanation: explanation() });
    const tabs = [...el.querySelectorAll('.nba-subtabs [role=tab]')].map(tab => tab.textContent);
    expect(tabs).toEqual(['Importance', 'Rows']);

    press('Models');
    el.querySelector<HTMLElement>('tr[data-n="1"]')?.click();
    await reply('details', { ...trial(1), params: {}, metrics: {}, minimized: [], fold_scores: [], error_full: '' });
    press('Deploy…');
    el.querySelector('.nba-deployments form')?.dispatchEvent(new Event('submit'));
    await reply('deploy', { name: 'heart' });
    await reply('service', await new FakeDeployment().get());
    expect(el.querySelector('[aria-label="Deployment heart"]')?.textContent).toContain('curl http://127.0.0.1');
  });

  it('offers no downloads, for there is no server', () => {
    widget.render({ model, el });
    const links = [...el.querySelectorAll('a')].filter(link => link.closest('[hidden]') === null);
    expect(links).toEqual([]);
  });

  it('says when it cannot show what was saved', () => {
    widget.render({ model: new FakeModel({ schema: 99 }), el });
    expect(el.textContent).toContain('Run the cell again');
  });
});

describe('questions to the kernel', () => {
  it('get the answer with their number', async () => {
    const source = new WidgetTransport(model).of();
    const [first, second] = [source.details(1), source.details(2)];
    expect(model.sent).toEqual([
      { ask: 'details', id: 1, with: { n: 1 } },
      { ask: 'details', id: 2, with: { n: 2 } }
    ]);
    model.say({ answer: 2, value: 'two' });
    model.say({ answer: 1, error: { code: 'x', message: 'Not there.', hint: 'Look again.' } });
    expect(await second).toBe('two');
    await expect(first).rejects.toThrow('Not there. Look again.');
  });

  it('are asked about explanations and deployments, too', async () => {
    const source = new WidgetTransport(model).of();
    const service = source.deployment('heart');
    void source.explain(1);
    void source.whatIf(1, 2, { age: null });
    void source.deploy(1, 'heart');
    void service.get();
    void service.send([{ age: 3 }], true);
    void service.renewKey('Primary');
    expect(model.sent.map(({ ask, with: given }) => [ask, given])).toEqual([
      ['explain', { n: 1 }],
      ['whatIf', { n: 1, row: 2, changes: { age: null } }],
      ['deploy', { n: 1, name: 'heart' }],
      ['service', { name: 'heart' }],
      ['service_try', { name: 'heart', body: [{ age: 3 }], probabilities: true }],
      ['service_renew', { name: 'heart', key: 'Primary' }]
    ]);
  });

  it('are waited for longer where the answer takes long', async () => {
    const deployed = new WidgetTransport(model).of().deploy(1, 'heart');
    await vi.advanceTimersByTimeAsync(60_000);
    model.say({ answer: 1, value: { name: 'heart' } });
    expect(await deployed).toEqual({ name: 'heart' });
  });

  it('fail in words when the kernel is silent', async () => {
    const asked = new WidgetTransport(model).of().columns();
    const failed = expect(asked).rejects.toThrow('The kernel does not answer.');
    await vi.advanceTimersByTimeAsync(21_000);
    await failed;
  });
});

describe('charts as pictures', () => {
  it('are images, in which no script runs', async () => {
    const plotter = new PicturePlotter();
    await plotter.draw(el, { data: [], layout: {}, svg: '<svg onload="alert(1)"/>' });
    const image = el.querySelector('img');
    expect(image?.src.startsWith('data:image/svg+xml;charset=utf-8,%3Csvg')).toBe(true);
    plotter.clear(el);
    expect(el.childElementCount).toBe(0);
  });
});
