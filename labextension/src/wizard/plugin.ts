import { ILabShell, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { Widget } from '@lumino/widgets';

import { insertBelow, Notebooks, sourcesOf } from '../notebook';
import { IServer, type Server } from '../server';
import { WizardApi } from './api';
import type { Host, WizardForm } from './form';

const NEW_RUN = 'nbautoml:new-run';
const OPEN_RUN = 'nbautoml:open-run';
const ID = 'nbautoml-new-run';

/** The form in the main area. */
class WizardWidget extends Widget {
  constructor(readonly form: WizardForm) {
    super();
    this.addClass('nbautoml');
    this.addClass('nbautoml-main');
    this.node.append(form.node);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.form.dispose();
    }
    super.dispose();
  }
}

/**
 * The command that opens the form. Its arguments, all optional: `workspace` (a root folder),
 * `source` (`file:PATH` or `dataset:NAME:VERSION`) and `cwd` (a folder of the server).
 */
export const wizardPlugin: JupyterFrontEndPlugin<void> = {
  id: 'nbautoml:wizard',
  description: 'Makes AutoML runs in a form.',
  autoStart: true,
  requires: [IServer],
  optional: [ILabShell, ICommandPalette, ILauncher],
  activate: (
    app: JupyterFrontEnd,
    { transport }: Server,
    shell: ILabShell | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null
  ) => {
    if (!shell) {
      return; // Notebook 7 has one place, and the notebook is in it
    }
    const notebooks = new Notebooks(app);
    const api = new WizardApi(transport.api);
    let opened: MainAreaWidget<WizardWidget> | null = null;
    let folder = '';
    app.commands.addCommand(NEW_RUN, {
      label: args => (args['isLauncher'] ? 'New AutoML run' : 'AutoML: new run'),
      caption: 'Make an AutoML run in a form',
      iconClass: 'nbautoml-icon',
      execute: async args => {
        const [workspace, source] = [String(args['workspace'] ?? ''), String(args['source'] ?? '')];
        folder = String(args['cwd'] ?? folder);
        const { WizardForm } = await import('./form');
        const isNew = !opened || opened.isDisposed;
        if (!opened || opened.isDisposed) {
          opened = mainWidget(new WizardForm(api, hostOf(app, notebooks, () => folder)));
          shell.add(opened, 'main');
        }
        shell.activateById(ID);
        if (isNew || workspace || source) {
          await opened.content.form.open(workspace, source);
        }
      }
    });
    notebooks.onChange(() => void opened?.content.form.follow());
    palette?.addItem({ command: NEW_RUN, category: 'AutoML' });
    launcher?.add({ command: NEW_RUN, category: 'AutoML', args: { isLauncher: true } });
  }
};

function mainWidget(form: WizardForm): MainAreaWidget<WizardWidget> {
  const widget = new MainAreaWidget({ content: new WizardWidget(form) });
  widget.id = ID;
  widget.title.label = 'New AutoML run';
  widget.title.iconClass = 'nbautoml-icon';
  widget.title.closable = true;
  return widget;
}

/** What the form needs of JupyterLab; a new notebook is made in `folder`. */
function hostOf(app: JupyterFrontEnd, notebooks: Notebooks, folder: () => string): Host {
  const { commands, serviceManager, shell } = app;
  return {
    contents: serviceManager.contents,
    target: () => {
      const notebook = notebooks.current;
      if (!notebook) {
        return { notebook: null, folder: folder() };
      }
      return {
        notebook: { name: notebook.title.label, sources: sourcesOf(notebook) },
        folder: notebooks.folderOf(notebook)
      };
    },
    insert: async cells => {
      const notebook = notebooks.current ?? (await notebooks.create(folder()));
      insertBelow(notebook, cells);
      shell.activateById(notebook.id);
    },
    openRun: async (run, workspace) => {
      await commands.execute(OPEN_RUN, { run, workspace });
    }
  };
}
