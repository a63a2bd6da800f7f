import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { ServerTransport } from './connection';
import { panelPlugin } from './panel/plugin';
import { PlotlyPlotter } from './plot';
import { rendererFactory } from './renderer';

const runView: JupyterFrontEndPlugin<void> = {
  id: 'nbautoml:run-view',
  description: 'Shows AutoML runs live in notebook outputs.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (app: JupyterFrontEnd, rendermime: IRenderMimeRegistry) => {
    const transport = new ServerTransport(app.serviceManager.serverSettings);
    rendermime.addFactory(rendererFactory(transport, new PlotlyPlotter()));
  }
};

export default [runView, panelPlugin];
