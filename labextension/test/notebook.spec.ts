import type { JupyterFrontEnd } from '@jupyterlab/application';
import { beforeEach, describe, expect, it } from 'vitest';

import { insertBelow, Notebooks, sourcesOf, type NotebookLike } from '../src/notebook';

class FakeCell {
  readonly model: { type: string; sharedModel: { getSource(): string; setSource(text: string): void } };

  constructor(source: string, type = 'code') {
    let text = source;
    this.model = { type, sharedModel: { getSource: () => text, setSource: value => (text = value) } };
  }
}

function notebook(path: string, ...cells: FakeCell[]): NotebookLike {
  const content = {
    widgets: cells,
    deselectAll: () => undefined,
    activeCellIndex: cells.length ? 0 : -1,
    get activeCell() {
      return this.widgets[this.activeCellIndex] ?? null;
    },
    model: {
      sharedModel: { insertCell: (at: number, cell: { source: string }) => cells.splice(at, 0, new FakeCell(cell.source)) }
    }
  };
  return { content, context: { path, ready: Promise.resolve() } } as unknown as NotebookLike;
}

describe('code for a notebook', () => {
  it('goes below the active cell, one cell each, and the last one is active', () => {
    const target = notebook('a.ipynb', new FakeCell('one'), new FakeCell('two'));
    insertBelow(target, ['first', 'second']);
    expect(sourcesOf(target)).toEqual(['one', 'first', 'second', 'two']);
    expect(target.content.activeCellIndex).toBe(2);
  });

  it('fills an active code cell that is empty, but no text cell', () => {
    const empty = notebook('a.ipynb', new FakeCell(' '));
    insertBelow(empty, ['first', 'second']);
    expect(sourcesOf(empty)).toEqual(['first', 'second']);
    const text = notebook('a.ipynb', new FakeCell('', 'markdown'));
    insertBelow(text, ['first']);
    expect(sourcesOf(text)).toEqual(['', 'first']);
  });

  it('begins a notebook without cells', () => {
    const bare = notebook('a.ipynb');
    insertBelow(bare, ['first', 'second']);
    expect(sourcesOf(bare)).toEqual(['first', 'second']);
  });
});

describe('the notebook that is meant', () => {
  let widgets: unknown[];
  let shown: unknown;
  let tell: () => void;
  let app: JupyterFrontEnd;

  beforeEach(() => {
    widgets = [];
    shown = null;
    const currentChanged = { connect: (slot: () => void) => (tell = slot) };
    app = {
      shell: {
        currentChanged,
        get currentWidget() {
          return shown;
        },
        widgets: () => widgets
      },
      serviceManager: {
        contents: {
          driveName: (path: string) => (path.includes(':') ? path.split(':')[0] : ''),
          localPath: (path: string) => path
        }
      }
    } as unknown as JupyterFrontEnd;
  });

  it('is the one that was looked at last, as long as it is open', () => {
    const [one, two, form] = [notebook('a/one.ipynb'), notebook('two.ipynb'), { content: {} }];
    widgets = [one, two, form];
    const notebooks = new Notebooks(app);
    let changes = 0;
    notebooks.onChange(() => (changes += 1));
    expect(notebooks.current).toBe(one);
    shown = two;
    tell();
    shown = form;
    tell();
    expect(notebooks.current).toBe(two);
    expect(changes).toBe(1);
    widgets = [one, form];
    expect(notebooks.current).toBe(one);
    widgets = [form];
    expect(notebooks.current).toBeNull();
  });

  it('lies in a folder of the server, or elsewhere', () => {
    const notebooks = new Notebooks(app);
    expect(notebooks.folderOf(notebook('a/b/one.ipynb'))).toBe('a/b');
    expect(notebooks.folderOf(notebook('s3:a/one.ipynb'))).toBe('');
  });

  it('takes code and comes to the front, where there is one', () => {
    const [one, activated] = [notebook('one.ipynb', new FakeCell('mine')), [] as string[]];
    Object.assign(one, { id: 'one' });
    Object.assign(app.shell, { activateById: (id: string) => activated.push(id) });
    const notebooks = new Notebooks(app);
    expect(() => notebooks.insert('new')).toThrow('Open a notebook to put the code into.');
    widgets = [one];
    notebooks.insert('new');
    expect(sourcesOf(one)).toEqual(['mine', 'new']);
    expect(activated).toEqual(['one']);
  });
});
