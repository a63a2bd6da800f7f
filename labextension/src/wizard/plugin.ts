import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';

import { MainArea } from '../mainarea';
import { insertBelow, Notebooks, sourcesOf } from '../notebook';
import { el } from '../runview/dom';
import { IServer, type Server } from '../server';
import { WizardApi } from './api';
import { Host, WizardForm } from './form';

const NEW_RUN = 'nbautoml:new-run';
const OPEN_RUN = 'nbautoml:open-run';
const ID = 'nbautoml-new-run';

/**
 * The command that opens the form. Its arguments, all optional: `workspace` (a root folder),
 * `source` (`file:PATH` or `dataset:NAME:VERSION`) and `cwd` (a folder of the server).
 */
export const wizardPlugin: JupyterFrontEndPlugin<void> = {
  id: 'nbautoml:wizard',
  description: 'Makes AutoML runs in a form.',
  autoStart: true,
  requires: [IServer],
  optional: [ICommandPalette, ILauncher],
  activate: (
    app: JupyterFrontEnd,
    { transport }: Server,
    palette: ICommandPalette | null,
    launcher: ILauncher | null
  ) => {
    const notebooks = new Notebooks(app);
    const api = new WizardApi(transport.api);
    const area = new MainArea(app, 'nbautoml-forms');
    let form: WizardForm | null = null;
    let folder = '';
    app.commands.addCommand(NEW_RUN, {
      label: args => (args['isLauncher'] ? 'New AutoML run' : 'AutoML: new run'),
      caption: 'Make an AutoML run in a form',
      iconClass: 'nbautoml-icon',
      execute: async args => {
        const [workspace, source] = [String(args['workspace'] ?? ''), String(args['source'] ?? '')];
        folder = String(args['cwd'] ?? folder);
        const isNew = !form;
        await area.show(ID, 'New AutoML run', {}, () => {
          const made = new WizardForm(api, hostOf(app, notebooks, () => folder));
          form = made;
          const dispose = (): void => {
            made.dispose();
            form = null;
          };
          return { node: el('div', { class: 'nbautoml' }, made.node), dispose };
        });
        if (isNew || workspace || source) {
          await form?.open(workspace, source);
        }
      }
    });
    notebooks.onChange(() => void form?.follow());
    palette?.addItem({ command: NEW_RUN, category: 'AutoML' });
    launcher?.add({ command: NEW_RUN, category: 'AutoML', args: { isLauncher: true } });
  }
};

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
