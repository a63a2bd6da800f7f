import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard } from '@jupyterlab/apputils';

import type { ServerTransport } from './connection';
import type { Notebooks } from './notebook';
import type { Doings } from './panel/item';
import { ServerThings } from './things';

/** What actions may do in JupyterLab, for one workspace. */
export function doingsIn(
  workspace: string,
  { commands }: JupyterFrontEnd,
  notebooks: Notebooks,
  transport: ServerTransport
): Doings {
  return {
    workspace,
    things: new ServerThings(transport.api, workspace),
    insert: async code => notebooks.insert(code),
    run: async (command, args) => void (await commands.execute(command, { ...args, workspace })),
    copy,
    save: address => follow(address, { download: '' }),
    visit: address => follow(address, { target: '_blank', rel: 'noopener noreferrer' })
  };
}

/** Copy a text; pages that are not behind HTTPS have no clipboard of the browser's. */
async function copy(text: string): Promise<void> {
  if ('clipboard' in navigator) {
    await navigator.clipboard.writeText(text);
  } else {
    Clipboard.copyToSystem(text);
  }
}

function follow(address: string, attributes: Readonly<Record<string, string>>): void {
  const link = document.createElement('a');
  link.href = address;
  for (const [name, value] of Object.entries(attributes)) {
    link.setAttribute(name, value);
  }
  document.body.append(link);
  link.click();
  link.remove();
}
