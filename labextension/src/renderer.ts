import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { isFull } from './runview/model';
import type { Plotter } from './runview/plotter';
import type { Transport } from './runview/transport';
import { viewOf, type AnyView } from './views';

export const MIME_TYPE = 'application/vnd.nbautoml.run+json';

/** Before HTML (50) and before live widgets (-10), which die with their kernel. */
const RANK = -20;

/** An output area's run view. The same run drawn again keeps its view and its connection. */
export class RunRenderer extends Widget implements IRenderMime.IRenderer {
  #view: AnyView | null = null;
  #nRendered = 0;

  constructor(
    private readonly transport: Transport,
    private readonly plotter: Plotter
  ) {
    super();
    this.addClass('nbautoml-output');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const content: unknown = model.data[MIME_TYPE];
    const turn = ++this.#nRendered;
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
    const view = await viewOf(content, this.transport, this.plotter);
    if (turn !== this.#nRendered || this.isDisposed) {
      view.dispose(); // another run came meanwhile
      return;
    }
    this.#view = view;
    this.node.replaceChildren(view.node);
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

export function rendererFactory(transport: Transport, plotter: Plotter): IRenderMime.IRendererFactory {
  return {
    // Safe: everything is shown as text, and what a click asks for is checked by the server.
    safe: true,
    mimeTypes: [MIME_TYPE],
    defaultRank: RANK,
    createRenderer: () => new RunRenderer(transport, plotter)
  };
}
