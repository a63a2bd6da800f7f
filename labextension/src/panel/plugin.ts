import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { Poll } from '@lumino/polling';
import { Widget } from '@lumino/widgets';

import { doingsIn } from '../doings';
import { dragCode } from '../drag';
import { automlIcon } from '../icon';
import { Notebooks } from '../notebook';
import { IServer, type Server } from '../server';
import { NEW_RUN } from './commandids';
import { addCommands } from './commands';
import { Memory } from './memory';
import { Panel, type PanelHost } from './panel';
import { DEFAULTS, readSettings } from './settings';

const PLUGIN_ID = 'nbautoml:panel';
const MOST_POLL_MS = 60_000;

/** The panel as a widget: it tells when it comes to sight, and when it goes. */
class PanelWidget extends Widget {
  /** Called with whether it can be seen. */
  onSight: (isVisible: boolean) => void = () => undefined;

  constructor(private readonly panel: Panel) {
    super({ node: panel.node });
    this.id = 'nbautoml-panel';
    this.title.icon = automlIcon;
    this.title.caption = 'AutoML: runs, datasets, models';
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.panel.dispose();
    }
    super.dispose();
  }

  protected override onAfterShow(): void {
    this.onSight(true);
  }

  protected override onAfterAttach(): void {
    this.onSight(this.isVisible);
  }

  protected override onAfterHide(): void {
    this.onSight(false);
  }
}

/** The side panel, and the commands that belong to it. */
export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Lists the datasets, runs and models of a workspace beside the notebook.',
  autoStart: true,
  requires: [IServer],
  optional: [ICommandPalette, ILayoutRestorer, ILauncher, ISettingRegistry, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    { transport }: Server,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    launcher: ILauncher | null,
    registry: ISettingRegistry | null,
    state: IStateDB | null
  ) => {
    const { commands, shell } = app;
    const notebooks = new Notebooks(app);
    const host: PanelHost = {
      watch: (run, workspace, listener) => transport.watch(run, workspace, listener),
      doings: workspace => doingsIn(workspace, app, notebooks, transport),
      drag: (item, event) => dragCode(item.title, item.code, event),
      newRun: workspace => void commands.execute(NEW_RUN, { workspace })
    };
    const memory = new Memory(state);
    const panel = new Panel(transport.api, host, memory);
    const side = new PanelWidget(panel);
    shell.add(side, 'left', { rank: 600 });
    restorer?.add(side, side.id);
    addCommands(app, panel, side.id, palette, launcher);

    const offer = (): void => panel.offerNewRun(commands.hasCommand(NEW_RUN));
    commands.commandChanged.connect(offer);
    side.disposed.connect(() => commands.commandChanged.disconnect(offer));
    offer();

    // Not waited for: what the page keeps can be read only when all plug-ins are there.
    void memory.load().then(() => {
      follow(side, panel);
      return obey(side, panel, registry);
    });
  }
};

/** Read the lists again and again, while somebody can see them. */
function follow(side: PanelWidget, panel: Panel): void {
  const poll = new Poll({
    name: 'nbautoml:catalog',
    factory: async () => {
      if (!(await panel.update())) {
        throw new Error('The lists cannot be read.'); // so that the poll waits longer
      }
    },
    frequency: frequency(DEFAULTS.pollSeconds),
    standby: () => (side.isVisible ? 'when-hidden' : true)
  });
  panel.onPace = seconds => {
    poll.frequency = frequency(seconds);
  };
  side.onSight = isVisible => {
    panel.setVisible(isVisible);
    if (isVisible) {
      void poll.refresh();
    }
  };
  side.onSight(side.isVisible);
  side.disposed.connect(() => poll.dispose());
}

function frequency(seconds: number): { interval: number; backoff: boolean; max: number } {
  const interval = seconds * 1000;
  return { interval, backoff: true, max: Math.max(interval, MOST_POLL_MS) };
}

/** Do as the settings say, now and when they change. */
async function obey(side: PanelWidget, panel: Panel, registry: ISettingRegistry | null): Promise<void> {
  try {
    const settings = await registry?.load(PLUGIN_ID);
    const read = (): void => panel.configure(readSettings(settings?.composite ?? {}));
    settings?.changed.connect(read);
    side.disposed.connect(() => settings?.changed.disconnect(read));
    read();
  } catch (error) {
    console.warn('The settings of the AutoML panel cannot be read; it goes by the defaults.', error);
  }
}
