import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';
import { Poll } from '@lumino/polling';
import { Widget } from '@lumino/widgets';

import { messageOf } from '../runview/dom';
import { RunView } from '../runview/view';
import { IServer, type Server } from '../server';
import type { Item } from './items';
import { Panel } from './panel';

const OPEN_RUN = 'nbautoml:open-run';
const REFRESH = 'nbautoml:refresh';
const INSERT_CELL = 'notebook:insert-cell-below';
const POLL = { interval: 5_000, backoff: true, max: 60_000 };
const CELLS = 'application/vnd.jupyter.cells';
const DRAG_PX = 5;

/** The part of a notebook that is used here; its package would bring a hundred others to the build. */
interface NotebookLike {
  content?: { activeCell?: { model?: { sharedModel: { setSource(text: string): void } } } | null };
}

/** A run in the main area. */
class RunWidget extends Widget {
  private readonly view: RunView;

  constructor(view: RunView) {
    super();
    this.view = view;
    this.addClass('nbautoml-main');
    this.node.append(view.node);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.view.dispose();
    }
    super.dispose();
  }
}

/** The side panel, and the commands that belong to it. */
export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'nbautoml:panel',
  description: 'Lists the datasets, runs and models of a workspace beside the notebook.',
  autoStart: true,
  requires: [IServer],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    { transport, plotter }: Server,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const { commands, shell } = app;
    const { api } = transport;
    const opened = new WidgetTracker<MainAreaWidget<RunWidget>>({ namespace: 'nbautoml-runs' });

    const insert = async (item: Item): Promise<void> => {
      const isPossible = commands.hasCommand(INSERT_CELL) && commands.isEnabled(INSERT_CELL);
      if (isPossible) {
        await commands.execute(INSERT_CELL);
      }
      const cell = (shell.currentWidget as NotebookLike | null)?.content?.activeCell;
      if (isPossible && cell?.model) {
        cell.model.sharedModel.setSource(item.code);
        panel.say('');
      } else {
        panel.say('Open a notebook to put the code into.');
      }
    };
    const open = (item: Item): void => {
      if (item.runId) {
        void commands.execute(OPEN_RUN, { run: item.runId, workspace: panel.root });
      } else {
        void insert(item);
      }
    };
    const panel = new Panel(api, { open, insert: item => void insert(item), drag });
    const side = new Widget({ node: panel.node });
    side.id = 'nbautoml-panel';
    side.title.label = 'AutoML';
    side.title.caption = 'AutoML: runs, datasets, models';
    shell.add(side, 'left', { rank: 600 });
    restorer?.add(side, side.id);

    const poll = new Poll({
      name: 'nbautoml:catalog',
      factory: () => panel.update(),
      frequency: POLL,
      standby: () => (side.isVisible ? 'when-hidden' : true)
    });
    side.disposed.connect(() => poll.dispose());

    commands.addCommand(REFRESH, { label: 'AutoML: refresh the panel', execute: () => panel.update() });
    commands.addCommand(OPEN_RUN, {
      label: 'AutoML: open a run',
      isVisible: args => Boolean(args['run']),
      execute: async args => {
        const [run, workspace] = [String(args['run']), String(args['workspace'])];
        const id = `nbautoml-run-${run}`;
        const known = opened.find(widget => widget.id === id);
        if (known) {
          shell.activateById(known.id);
          return;
        }
        try {
          const view = new RunView(await api.run(run, workspace), transport, plotter);
          const widget = new MainAreaWidget({ content: new RunWidget(view) });
          widget.id = id;
          widget.title.label = run.slice(0, 15);
          widget.title.caption = run;
          widget.title.closable = true;
          shell.add(widget, 'main');
          await opened.add(widget);
          shell.activateById(id);
        } catch (error) {
          panel.say(messageOf(error));
        }
      }
    });
    palette?.addItem({ command: REFRESH, category: 'AutoML' });
    void restorer?.restore(opened, {
      command: OPEN_RUN,
      args: widget => ({ run: widget.title.caption, workspace: panel.root }),
      name: widget => widget.id
    });
  }
};

/** Once the pointer has moved a little, its code is dragged; a notebook takes it as a cell. */
function drag(item: Item, event: PointerEvent): void {
  const { clientX, clientY } = event;
  const stop = (): void => {
    document.removeEventListener('pointermove', move, true);
    document.removeEventListener('pointerup', stop, true);
  };
  const move = (moved: PointerEvent): void => {
    if (Math.hypot(moved.clientX - clientX, moved.clientY - clientY) < DRAG_PX) {
      return;
    }
    stop();
    const mimeData = new MimeData();
    const cell = { cell_type: 'code', metadata: {}, source: item.code, outputs: [], execution_count: null };
    mimeData.setData(CELLS, [cell]);
    mimeData.setData('text/plain', item.code);
    const image = document.createElement('div');
    image.className = 'nbautoml-drag';
    image.textContent = item.title;
    // A notebook looks into what a drag comes from; this one comes from no notebook.
    const [source, action] = [{}, 'copy' as const];
    const dragged = new Drag({ mimeData, dragImage: image, source, supportedActions: action, proposedAction: action });
    void dragged.start(moved.clientX, moved.clientY).then(() => dragged.dispose());
  };
  document.addEventListener('pointermove', move, true);
  document.addEventListener('pointerup', stop, true);
}
