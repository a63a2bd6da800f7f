import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { parentOf, sections, text, type Item } from '../src/panel/items';
import { Panel, type CatalogSource } from '../src/panel/panel';
import type { Catalog, WorkspaceItem } from '../src/panel/types';

const HOME: WorkspaceItem = { name: 'home', root: '/home/me' };
const OTHER: WorkspaceItem = { name: '<i>other', root: '/other' };

function catalog(changes: Partial<Catalog> = {}): Catalog {
  return {
    workspace: HOME,
    datasets: [{ name: 'heart', version: 3, rows: 299, columns: 13, description: '', created_at: 5 }],
    computes: [{ name: 'local', kind: 'local' }],
    runs: [
      {
        id: 'AutoML_5f0c9d6e-6a34-4c5b-9d6d-0a1b2c3d4e5f',
        experiment: 'exp',
        name: '',
        type: 'automl',
        status: 'Running',
        is_live: true,
        created_at: 1000,
        ended_at: null,
        metric: 'accuracy',
        score: 0.75
      }
    ],
    models: [{ name: 'm "1"', version: 2, description: '', run_id: 'AutoML_x_12', created_at: 5 }],
    ...changes
  };
}

class FakeSource implements CatalogSource {
  known: WorkspaceItem[] = [HOME, OTHER];
  held: Catalog = catalog();
  readonly asked: string[] = [];
  refusal: Error | null = null;

  async workspaces(): Promise<WorkspaceItem[]> {
    if (this.refusal) {
      throw this.refusal;
    }
    return this.known;
  }

  async catalog(workspace: string): Promise<Catalog> {
    this.asked.push(workspace);
    return this.held;
  }
}

let source: FakeSource;
let panel: Panel;
let done: string[];

const settle = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(0));
const all = (selector: string): HTMLElement[] => [...panel.node.querySelectorAll<HTMLElement>(selector)];
const titles = (): string[] => all('.nba-itemtitle').map(node => node.textContent ?? '');
const message = (): string => all('[role=status]')[0]?.textContent ?? '';

beforeEach(async () => {
  vi.useFakeTimers();
  source = new FakeSource();
  done = [];
  const note = (what: string) => (item: Item) => void done.push(`${what} ${item.key}`);
  panel = new Panel(source, { open: note('open'), insert: note('insert'), drag: note('drag') });
  document.body.replaceChildren(panel.node);
  await panel.update();
});
afterEach(() => void vi.useRealTimers());

describe('the panel', () => {
  it('lists what the latest workspace holds', () => {
    expect(source.asked).toEqual(['/home/me']);
    expect(all('.nba-sectionhead').map(head => head.textContent)).toEqual(['Runs1', 'Datasets1', 'Models1', 'Compute1']);
    expect(titles()).toEqual(['exp', 'heart', 'm "1"', 'local']);
    expect(all('.nba-itemnote')[0]?.textContent).toContain('Running · accuracy 0.7500');
  });

  it('shows another workspace when it is chosen, and its name as text', async () => {
    const choice = all('select')[0] as HTMLSelectElement;
    expect([...choice.options].map(option => option.textContent)).toEqual(['home', '<i>other']);
    choice.value = '/other';
    choice.dispatchEvent(new Event('change'));
    await settle();
    expect(source.asked).toEqual(['/home/me', '/other']);
    expect(panel.root).toBe('/other');
  });

  it('opens, inserts and drags a line', () => {
    all('.nba-itemmain')[0]?.dispatchEvent(new MouseEvent('dblclick'));
    all('.nba-itemmain')[1]?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
    all('.nba-itemaction')[2]?.click();
    all('.nba-itemmain')[3]?.dispatchEvent(new Event('pointerdown'));
    expect(done).toEqual([
      'open run AutoML_5f0c9d6e-6a34-4c5b-9d6d-0a1b2c3d4e5f',
      'open dataset heart',
      'insert model m "1"',
      'drag compute local'
    ]);
  });

  it('folds a section, and keeps its lines when it is read again', async () => {
    const line = all('.nba-item')[1];
    all('.nba-sectionhead')[0]?.click();
    await panel.update();
    expect(all('.nba-items')[0]?.hidden).toBe(true);
    expect(all('.nba-item')[1]).toBe(line);
  });

  it('says what to do when there is nothing', async () => {
    source.held = catalog({ runs: [], datasets: [] });
    await panel.update();
    expect(all('.nba-section > p').filter(node => !node.hidden).map(node => node.textContent)).toEqual([
      'No runs yet. A cell that begins with %%automl starts one.',
      'No registered datasets. Dataset.Tabular…register(ws, name) makes one.'
    ]);
    source.known = [];
    await panel.update();
    expect(message()).toContain('No workspace has been opened yet');
    expect(titles()).toEqual([]);
  });

  it('says what went wrong, and goes on later', async () => {
    source.refusal = new Error('The server is gone.');
    await panel.update();
    expect(message()).toBe('The server is gone.');
    expect(titles()).toHaveLength(4);
    source.refusal = null;
    await panel.update();
    expect(message()).toBe('');
  });
});

describe('code for a cell', () => {
  it('names things as Python writes them', () => {
    const [runs, datasets, models] = sections(catalog());
    expect(runs?.items[0]?.code).toContain('ws.get_run("AutoML_5f0c9d6e-6a34-4c5b-9d6d-0a1b2c3d4e5f")');
    expect(datasets?.items[0]?.code).toContain('Dataset.get_by_name(ws, "heart", version=3)');
    expect(models?.items[0]?.code).toContain('Model(ws, "m \\"1\\"", version=2).load()');
    expect(text('C:\\new')).toBe('"C:\\\\new"');
  });

  it('leads from a model to its run', () => {
    expect(sections(catalog())[2]?.items[0]?.runId).toBe('AutoML_x');
    expect(parentOf('AutoML_x')).toBe('AutoML_x');
  });
});
