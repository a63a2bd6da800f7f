/** The run view as an anywidget: for hosts that load no extension, the kernel is the server. */

import { ModelDeployments } from './deploy/deployments';
import { PicturePlotter } from './widget/plotter';
import { WidgetTransport, type Model } from './widget/transport';
import { el } from './runview/dom';
import { ExplanationTab } from './runview/explanation/tab';
import type { RunExtras } from './runview/extras';
import { LoggedView, type LoggedPart } from './runview/logged/view';
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

/** The picture of a pipeline has no room here. */
function graphIsElsewhere(): LoggedPart {
  const text = "The graph of its steps: RunDetails(run).show(widget_settings={'view': 'page'})";
  return { node: el('p', {}, text), update: () => undefined };
}

export default {
  render({ model, el: place }: { model: Model; el: HTMLElement }): () => void {
    const snapshot = model.get('snapshot');
    if (!isFull(snapshot)) {
      place.textContent = 'This run was shown by another version. Run the cell again.';
      return () => undefined;
    }
    const transport = new WidgetTransport(model);
    const view = isLogged(snapshot)
      ? new LoggedView(snapshot, transport, () => ({ below: snapshot.header.kind === 'pipeline' ? [graphIsElsewhere()] : [], tabs: [] }))
      : new RunView(snapshot, transport, new PicturePlotter(), extrasOf);
    place.append(view.node);
    return () => {
      view.dispose();
      transport.dispose();
    };
  }
};
