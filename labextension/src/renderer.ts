import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { isFull } from './runview/model';
import type { Plotter } from './runview/plotter';
import { viewOf, type AnyView, type OpenRun, type RunsTransport } from './views';

export const MIME_TYPE = 'application/vnd.nbautoml.run+json';

/** Before HTML (50) and before live widgets (-10), which die with their kernel. */
const RANK = -20;

/** An output area's run view. The same run drawn again keeps its view and its connection. */
export class RunRenderer extends Widget implements IRenderMime.IRenderer {
  #view: AnyView | null = null;

  constructor(
    private readonly transport: RunsTransport,
    private readonly plotter: Plotter,
    private readonly open: OpenRun
  ) {
    super();
    this.addClass('nbautoml-output');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const content: unknown = model.data[MIME_TYPE];
    if (!isFull(content)) {
      this.#drop();
      this.node.textContent = 'This output does not hold a run that can be shown. Run its cell again.';
      return;
    }
    if (this.#view && this.#view.runId === content.run_id) {
      this.#view.offer(content);
      return;
    }
    this.#drop();
    this.#view = viewOf(content, this.transport, this.plotter, this.open);
    this.node.replaceChildren(this.#view.node);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.#drop();
    }
    super.dispose();
  }

  #drop(): void {
    this.#view?.dispose();
    this.#view = null;
  }
}

export function rendererFactory(transport: RunsTransport, plotter: Plotter, open: OpenRun): IRenderMime.IRendererFactory {
  return {
    // Safe: everything is shown as text, and what a click asks for is checked by the server.
    safe: true,
    mimeTypes: [MIME_TYPE],
    defaultRank: RANK,
    createRenderer: () => new RunRenderer(transport, plotter, open)
  };
}
