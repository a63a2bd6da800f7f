import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Token } from '@lumino/coreutils';

import { ServerTransport } from './connection';
import { OPEN_RUN } from './panel/commandids';
import { PlotlyPlotter } from './plot';
import type { OpenRun } from './views';

/** What all parts of a page share: one connection to the server, one copy of plotly, one place for runs. */
export interface Server {
  readonly transport: ServerTransport;
  readonly plotter: PlotlyPlotter;
  readonly open: OpenRun;
}

export const IServer = new Token<Server>('nbautoml:IServer');

export const serverPlugin: JupyterFrontEndPlugin<Server> = {
  id: 'nbautoml:server',
  description: 'Connects the page with the nbautoml server extension.',
  autoStart: true,
  provides: IServer,
  activate: (app: JupyterFrontEnd) => ({
    transport: new ServerTransport(app.serviceManager.serverSettings),
    plotter: new PlotlyPlotter(),
    open: (run, workspace) => void app.commands.execute(OPEN_RUN, { run, workspace })
  })
};
