/** Notebooks of the page: which one is meant, and cells for it. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import type { Widget } from '@lumino/widgets';

interface SharedCell {
  getSource(): string;
  setSource(text: string): void;
}

interface Cell {
  readonly model: { readonly type: string; readonly sharedModel: SharedCell };
}

interface NewCell {
  readonly cell_type: 'code';
  readonly source: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The part of a notebook that is used here; its package would bring a hundred others to the build. */
export interface NotebookLike extends Widget {
  readonly context: { readonly path: string; readonly ready: Promise<void> };
  readonly content: Widget & {
    readonly activeCell: Cell | null;
    activeCellIndex: number;
    deselectAll(): void;
    readonly widgets: readonly Cell[];
    readonly model: { readonly sharedModel: { insertCell(index: number, cell: NewCell): unknown } } | null;
  };
}

/** Knows the notebook that was looked at last. */
export class Notebooks {
  #last: NotebookLike | null = null;
  readonly #listeners: (() => void)[] = [];

  constructor(private readonly app: JupyterFrontEnd) {
    app.shell.currentChanged?.connect(() => this.#follow());
    this.#follow();
  }

  /** Be told when another notebook is looked at. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The notebook of the main area that was looked at last and is still open. */
  get current(): NotebookLike | null {
    const open = [...this.app.shell.widgets('main')].filter(isNotebook);
    const shown = this.app.shell.currentWidget;
    return open.find(widget => widget === shown) ?? open.find(widget => widget === this.#last) ?? open[0] ?? null;
  }

  /** Put code into a cell of the notebook that is meant, and bring that to the front. */
  insert(code: string): void {
    const notebook = this.current;
    if (!notebook) {
      throw new Error('Open a notebook to put the code into.');
    }
    insertBelow(notebook, [code]);
    this.app.shell.activateById(notebook.id);
  }

  /** The folder of a notebook on the server; the top one for a notebook that is elsewhere. */
  folderOf(notebook: NotebookLike): string {
    const { contents } = this.app.serviceManager;
    const path = notebook.context.path;
    return contents.driveName(path) ? '' : PathExt.dirname(contents.localPath(path));
  }

  /** Open a new notebook in a folder of the server. */
  async create(folder: string): Promise<NotebookLike> {
    const { commands, serviceManager } = this.app;
    const file = (await commands.execute('docmanager:new-untitled', { path: folder, type: 'notebook' })) as { path: string };
    const name = serviceManager.kernelspecs.specs?.default ?? 'python3';
    const widget: unknown = await commands.execute('docmanager:open', {
      path: file.path,
      factory: 'Notebook',
      kernel: { name }
    });
    if (!isNotebook(widget)) {
      throw new Error(`The new notebook ${file.path} could not be opened here; open it and insert again.`);
    }
    await widget.context.ready;
    return widget;
  }

  #follow(): void {
    const shown = this.app.shell.currentWidget;
    if (isNotebook(shown) && shown !== this.#last) {
      this.#last = shown;
      for (const listener of this.#listeners) {
        listener();
      }
    }
  }
}

/** Put code below the active cell, one cell each; an active cell that is empty takes the first. */
export function insertBelow(notebook: NotebookLike, sources: readonly string[]): void {
  const { content } = notebook;
  const active = content.activeCell?.model;
  const rest = [...sources];
  if (active?.type === 'code' && !active.sharedModel.getSource().trim()) {
    active.sharedModel.setSource(rest.shift() ?? '');
  }
  for (const source of rest) {
    const at = content.activeCell ? content.activeCellIndex + 1 : content.widgets.length;
    content.model?.sharedModel.insertCell(at, { cell_type: 'code', source, metadata: { trusted: true } });
    content.activeCellIndex = at;
  }
  content.deselectAll();
}

/** What the cells of a notebook say. */
export function sourcesOf(notebook: NotebookLike): string[] {
  return notebook.content.widgets.map(cell => cell.model.sharedModel.getSource());
}

function isNotebook(widget: unknown): widget is NotebookLike {
  const { content, context } = (widget ?? {}) as Partial<NotebookLike>;
  return content !== undefined && 'activeCell' in content && context !== undefined;
}
