import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { type ICommandPalette, InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { ILauncher } from '@jupyterlab/launcher';

import { addCommands, type PanelLike } from '../src/panel/commands';
import { SECTIONS } from '../src/panel/sections';
import { RUN } from './fixtures';
import { catalog, FakePage, run } from './panelfixtures';

vi.mock('@jupyterlab/apputils', () => ({
  InputDialog: { getText: vi.fn(), getItem: vi.fn() },
  showErrorMessage: vi.fn()
}));
vi.mock('../src/icon', () => ({ automlIcon: { name: 'automl' } }));

interface Command {
  label: string | ((args: object) => string);
  execute: (args: object) => unknown;
}

let page: FakePage;
let panel: PanelLike & { nUpdates: number };
let known: Map<string, Command>;
let executed: string[];
let offered: string[];
let activated: string[];

const getText = vi.mocked(InputDialog.getText);
const getItem = vi.mocked(InputDialog.getItem);
const showError = vi.mocked(showErrorMessage);
const execute = async (id: string, args: object = {}): Promise<unknown> => known.get(`nbautoml:${id}`)?.execute(args);

function answer(value: string | null): { value: string | null } & Awaited<ReturnType<typeof InputDialog.getItem>> {
  return { value, button: {}, isChecked: null } as never;
}

beforeEach(() => {
  vi.clearAllMocks();
  page = new FakePage();
  [known, executed, offered, activated] = [new Map(), [], [], []];
  const held = catalog({ runs: [run({ id: 'AutoML_ended', is_live: false }), run()] });
  panel = {
    root: '/w',
    items: SECTIONS.flatMap(kind => kind.items(held, new Map())),
    runs: held.runs,
    nUpdates: 0,
    doings: () => page.doings('/w'),
    update: async () => {
      panel.nUpdates += 1;
      return true;
    }
  };
  const commands = {
    addCommand: (id: string, command: Command) => void known.set(id, command),
    execute: async (id: string, args: object) => {
      executed.push(`${id} ${JSON.stringify(args)}`);
      if (JSON.stringify(args).includes('missing')) {
        throw new Error('No run has the id.');
      }
    }
  };
  const app = { commands, shell: { activateById: (id: string) => void activated.push(id) } };
  const palette = { addItem: ({ command }: { command: string }) => void offered.push(command) };
  const launcher = { add: ({ command }: { command: string }) => void offered.push(`launcher ${command}`) };
  addCommands(
    app as unknown as JupyterFrontEnd,
    panel,
    'the-panel',
    palette as unknown as ICommandPalette,
    launcher as unknown as ILauncher
  );
});

describe('commands', () => {
  it('are all in the palette, and one in the launcher', () => {
    expect(offered).toEqual([...known.keys(), 'launcher nbautoml:open-panel']);
    expect(known.size).toBe(5);
  });

  it('open and refresh the panel', async () => {
    await execute('open-panel');
    await execute('refresh');
    expect([activated, panel.nUpdates]).toEqual([['the-panel'], 1]);
  });

  it('open a run by its id, in the workspace that is shown', async () => {
    getText.mockResolvedValueOnce(answer(' AutoML_y '));
    await execute('open-run-by-id');
    getText.mockResolvedValueOnce(answer(null));
    await execute('open-run-by-id');
    expect(executed).toEqual(['nbautoml:open-run {"run":"AutoML_y","workspace":"/w"}']);
  });

  it('tell in a dialog what went wrong', async () => {
    getText.mockResolvedValueOnce(answer('missing'));
    await execute('open-run-by-id');
    expect(showError).toHaveBeenCalledWith('Open a Run by Its Id', 'No run has the id.');
  });

  it('stop one of the live runs', async () => {
    getItem.mockImplementationOnce(async ({ items }) => answer([...items][0] ?? null));
    await execute('stop-run');
    expect(getItem.mock.calls[0]?.[0].items).toEqual(['1. exp · AutoML_5f0c9d6e · Running']);
    expect(page.things.asked).toEqual([`cancel ${RUN}`]);
    panel = Object.assign(panel, { runs: [] });
    await execute('stop-run');
    expect(showError).toHaveBeenCalledWith('Stop a Run', 'No run of this workspace is going on.');
  });

  it('insert code for anything', async () => {
    getItem.mockImplementationOnce(async ({ items }) => answer([...items].find(name => name.includes('dataset: heart')) ?? null));
    await execute('insert-code');
    expect(page.done[0]).toContain('Dataset.get_by_name(ws, "heart", version=3)');
    getItem.mockResolvedValueOnce(answer(null));
    await execute('insert-code');
    expect(page.done).toHaveLength(1);
  });
});
