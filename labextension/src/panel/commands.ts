import type { JupyterFrontEnd } from '@jupyterlab/application';
import { type ICommandPalette, InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { ILauncher } from '@jupyterlab/launcher';

import { automlIcon } from '../icon';
import { messageOf } from '../runview/dom';
import { shortId, statusWords } from '../runview/format';
import { INSERT_CODE, OPEN_PANEL, OPEN_RUN, OPEN_RUN_BY_ID, REFRESH, STOP_RUN } from './commandids';
import type { Doings, Item } from './item';
import type { RunItem } from './types';

const CATEGORY = 'AutoML';

/** What the commands need of the panel. */
export interface PanelLike {
  readonly root: string;
  readonly items: Item[];
  readonly runs: readonly RunItem[];
  doings(): Doings;
  update(): Promise<boolean>;
}

/** Commands of the panel: in the palette, and the first one in the launcher. */
export function addCommands(
  { commands, shell }: JupyterFrontEnd,
  panel: PanelLike,
  panelId: string,
  palette: ICommandPalette | null,
  launcher: ILauncher | null
): void {
  commands.addCommand(OPEN_PANEL, {
    label: args => (args['isPalette'] ? 'AutoML: Open the Panel' : 'Open AutoML'),
    caption: 'Runs, datasets and models of a workspace',
    icon: args => (args['isPalette'] ? undefined : automlIcon),
    execute: () => shell.activateById(panelId)
  });
  commands.addCommand(REFRESH, { label: 'AutoML: Refresh the Panel', execute: () => panel.update() });
  const add = (id: string, label: string, execute: () => Promise<unknown>): void =>
    void commands.addCommand(id, {
      label: `AutoML: ${label}`,
      execute: async () => {
        try {
          await execute();
        } catch (error) {
          await showErrorMessage(label.replace('…', ''), messageOf(error));
        }
      }
    });
  add(OPEN_RUN_BY_ID, 'Open a Run by Its Id…', async () => {
    const { value } = await InputDialog.getText({ title: 'Open a run', label: 'Id of the run', okLabel: 'Open' });
    if (value?.trim()) {
      await commands.execute(OPEN_RUN, { run: value.trim(), workspace: panel.root });
    }
  });
  add(STOP_RUN, 'Stop a Run…', () => stopRun(panel));
  add(INSERT_CODE, 'Insert Code for…', () => insertCode(panel));
  for (const command of [OPEN_PANEL, REFRESH, OPEN_RUN_BY_ID, STOP_RUN, INSERT_CODE]) {
    palette?.addItem({ command, category: CATEGORY, args: { isPalette: true } });
  }
  launcher?.add({ command: OPEN_PANEL, category: CATEGORY, rank: 0 });
}

async function stopRun(panel: PanelLike): Promise<void> {
  await panel.update();
  const live = panel.runs.filter(run => run.is_live);
  if (!live.length) {
    throw new Error('No run of this workspace is going on.');
  }
  const name = (run: RunItem): string => `${run.experiment} · ${shortId(run.id)} · ${statusWords(run.status)}`;
  const chosen = await choose('Stop a run', 'Finished models are kept.', 'Stop', live, name);
  if (chosen) {
    await panel.doings().things.ask(chosen.id, 'cancel');
    await panel.update();
  }
}

async function insertCode(panel: PanelLike): Promise<void> {
  await panel.update();
  const { items } = panel;
  if (!items.length) {
    throw new Error('There is nothing to insert code for: open a workspace first.');
  }
  const name = (item: Item): string => item.key.replace(' ', ': ');
  const chosen = await choose('Insert code', 'Code for', 'Insert', items, name);
  if (chosen) {
    await panel.doings().insert(chosen.code);
  }
}

/** Let one of several things be chosen; null where it was given up. */
async function choose<T>(
  title: string,
  label: string,
  okLabel: string,
  things: readonly T[],
  name: (thing: T) => string
): Promise<T | null> {
  const names = things.map((thing, i) => `${i + 1}. ${name(thing)}`);
  const { value } = await InputDialog.getItem({ title, label, okLabel, items: names, editable: false });
  return things[names.indexOf(value ?? '')] ?? null;
}
