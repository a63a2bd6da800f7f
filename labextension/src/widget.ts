/** The run view as an anywidget: for hosts that load no extension, the kernel is the server. */

import { ModelDeployments } from './deploy/deployments';
import { PicturePlotter } from './widget/plotter';
import { WidgetTransport, type Model } from './widget/transport';
import { ExplanationTab } from './runview/explanation/tab';
import type { RunExtras } from './runview/extras';
import { LoggedView } from './runview/logged/view';
import { isFull, isLogged } from './runview/model';
import type { RunSource } from './runview/transport';
import { RunView } from './runview/view';

/** What needs no plotly. */
function extrasOf(source: RunSource): RunExtras {
  return {
    explanation: () => new ExplanationTab(source),
    deployments: (n, proposal) => new ModelDeployments(n, proposal, source)
  };
}

export default {
  render({ model, el }: { model: Model; el: HTMLElement }): () => void {
    const snapshot = model.get('snapshot');
    if (!isFull(snapshot)) {
      el.textContent = 'This run was shown by another version. Run the cell again.';
      return () => undefined;
    }
    const transport = new WidgetTransport(model);
    const view = isLogged(snapshot)
      ? new LoggedView(snapshot, transport, () => ({ below: [], tabs: [] }))
      : new RunView(snapshot, transport, new PicturePlotter(), extrasOf);
    el.append(view.node);
    return () => {
      view.dispose();
      transport.dispose();
    };
  }
};
