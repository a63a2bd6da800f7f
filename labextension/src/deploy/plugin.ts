import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { OPEN_DEPLOYMENT } from '../panel/commandids';
import { IServer, type Server } from '../server';
import { DeploymentApi } from './api';
import { DeploymentCard } from './card';

/** A deployment in the main area. */
class DeploymentWidget extends Widget {
  constructor(
    readonly card: DeploymentCard,
    readonly workspace: string
  ) {
    super();
    this.addClass('nbautoml');
    this.addClass('nbautoml-main');
    this.node.append(card.node);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.card.dispose();
    }
    super.dispose();
  }
}

/** The command that opens a deployment: arguments `deployment` and `workspace`. */
export const deploymentPlugin: JupyterFrontEndPlugin<void> = {
  id: 'nbautoml:deployments',
  description: 'Opens deployments in the main area.',
  autoStart: true,
  requires: [IServer],
  optional: [ILayoutRestorer],
  activate: (app: JupyterFrontEnd, { transport }: Server, restorer: ILayoutRestorer | null) => {
    const { commands, shell } = app;
    const opened = new WidgetTracker<MainAreaWidget<DeploymentWidget>>({ namespace: 'nbautoml-deployments' });
    commands.addCommand(OPEN_DEPLOYMENT, {
      label: 'AutoML: open a deployment',
      isVisible: args => Boolean(args['deployment']),
      execute: async args => {
        const [name, workspace] = [String(args['deployment']), String(args['workspace'])];
        const id = `nbautoml-deployment-${workspace}-${name}`;
        const known = opened.find(widget => widget.id === id);
        if (known) {
          shell.activateById(id);
          return;
        }
        const source = new DeploymentApi(transport.api, workspace, name);
        const card = new DeploymentCard(name, source, () => widget.dispose());
        const widget = new MainAreaWidget({ content: new DeploymentWidget(card, workspace) });
        widget.id = id;
        widget.title.label = name;
        widget.title.caption = `Deployment ${name}`;
        widget.title.closable = true;
        shell.add(widget, 'main');
        await opened.add(widget);
        shell.activateById(id);
      }
    });
    void restorer?.restore(opened, {
      command: OPEN_DEPLOYMENT,
      args: ({ content }) => ({ deployment: content.card.name, workspace: content.workspace }),
      name: widget => widget.id
    });
  }
};
