import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { detailsPlugin } from './details/plugin';
import { panelPlugin } from './panel/plugin';
import { rendererFactory } from './renderer';
import { IServer, serverPlugin, type Server } from './server';
import { wizardPlugin } from './wizard/plugin';

const runView: JupyterFrontEndPlugin<void> = {
  id: 'nbautoml:run-view',
  description: 'Shows AutoML runs live in notebook outputs.',
  autoStart: true,
  requires: [IRenderMimeRegistry, IServer],
  activate: (_app: JupyterFrontEnd, rendermime: IRenderMimeRegistry, { transport, plotter, open }: Server) => {
    rendermime.addFactory(rendererFactory(transport, plotter, open));
  }
};

export default [serverPlugin, runView, detailsPlugin, panelPlugin, wizardPlugin];
