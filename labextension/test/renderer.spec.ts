import { describe, expect, it } from 'vitest';

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';

import { MIME_TYPE, rendererFactory, RunRenderer } from '../src/renderer';
import { FakePlotter, FakeTransport, full } from './fixtures';

const model = (content: unknown): IRenderMime.IMimeModel =>
  ({ data: { [MIME_TYPE]: content } }) as unknown as IRenderMime.IMimeModel;

describe('renderer', () => {
  it('comes before HTML and before widgets that die with their kernel', () => {
    const factory = rendererFactory(new FakeTransport(), new FakePlotter(), () => undefined);
    expect(factory.defaultRank).toBe(-20);
    expect(factory.mimeTypes).toEqual(['application/vnd.nbautoml.run+json']);
  });

  it('keeps view and connection when the same run is drawn again', async () => {
    const transport = new FakeTransport();
    const renderer = new RunRenderer(transport, new FakePlotter(), () => undefined);
    await renderer.renderModel(model(full()));
    const node = renderer.node.firstElementChild;
    await renderer.renderModel(model(full({ seq: 99 })));
    expect(renderer.node.firstElementChild).toBe(node);
    expect(transport.nWatched).toBe(1);
  });

  it('makes a new view for another run', async () => {
    const transport = new FakeTransport();
    const renderer = new RunRenderer(transport, new FakePlotter(), () => undefined);
    await renderer.renderModel(model(full()));
    await renderer.renderModel(model(full({ run_id: 'other' })));
    expect(transport.nWatched).toBe(2);
    expect(transport.isDisposed).toBe(true);
    expect(renderer.node.children).toHaveLength(1);
  });

  it('says so when the content is not a run', async () => {
    const renderer = new RunRenderer(new FakeTransport(), new FakePlotter(), () => undefined);
    await renderer.renderModel(model({ something: 'else' }));
    expect(renderer.node.textContent).toContain('Run its cell again');
  });

  it('disposes its view', async () => {
    const transport = new FakeTransport();
    const renderer = new RunRenderer(transport, new FakePlotter(), () => undefined);
    await renderer.renderModel(model(full()));
    renderer.dispose();
    expect(transport.isDisposed).toBe(true);
  });
});
