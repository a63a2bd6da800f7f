import { describe, expect, it } from 'vitest';

import { formatTags, parseTags } from '../src/details/tags';
import { text } from '../src/panel/code';
import type { Item } from '../src/panel/item';
import { SECTIONS } from '../src/panel/sections';
import { computeSection } from '../src/panel/sections/compute';
import { datasetSection } from '../src/panel/sections/datasets';
import { deploymentSection } from '../src/panel/sections/deployments';
import { modelSection, parentOf } from '../src/panel/sections/models';
import { modelName, runSection } from '../src/panel/sections/runs';
import { deployment, header, RUN } from './fixtures';
import { actionOf, catalog, cluster, FakePage, run } from './panelfixtures';

const NOBODY = new Map();
const first = (items: Item[]): Item => items[0]!;

describe('sections', () => {
  it('have names of their own in the settings', () => {
    expect(new Set(SECTIONS.map(kind => kind.id)).size).toBe(SECTIONS.length);
  });

  it('give every item a key of its own, and code', () => {
    const items = SECTIONS.flatMap(kind => kind.items(catalog(), NOBODY));
    expect(new Set(items.map(item => item.key)).size).toBe(items.length);
    expect(items.every(item => item.code.includes('Workspace.from_config("/home/me")'))).toBe(true);
  });

  it('offer to insert code for everything', () => {
    const items = SECTIONS.flatMap(kind => kind.items(catalog(), NOBODY));
    expect(items.filter(item => item.actions.some(action => action.label === 'Insert code'))).toHaveLength(items.length);
  });
});

describe('runs of pipelines', () => {
  const pipeline = run({ type: 'azureml.PipelineRun', metric: null, score: null, steps: [2, 5] });

  it('say how many steps are done, live or not', () => {
    expect(first(runSection.items(catalog({ runs: [pipeline] }), NOBODY)).note).toContain('Running · 2 of 5 steps');
    const live = new Map([[RUN, header({ kind: 'pipeline', steps: [3, 5], progress: 0.6 })]]);
    const item = first(runSection.items(catalog({ runs: [pipeline] }), live));
    expect([item.note.includes('3 of 5 steps'), item.progress]).toEqual([true, 0.6]);
    const ended = { ...pipeline, status: 'Completed', is_live: false, steps: [5, 5] as const };
    expect(first(runSection.items(catalog({ runs: [ended] }), NOBODY)).note).toContain('Completed · 5 of 5 steps');
  });

  it('can be stopped, but not paused or finished', () => {
    const labels = first(runSection.items(catalog({ runs: [pipeline] }), NOBODY)).actions.map(action => action.label);
    expect(labels).toEqual(['Open', 'Insert code', 'Copy id', 'Stop…']);
  });
});

describe('code for a cell', () => {
  it('names things as Python writes them', () => {
    const held = catalog({ models: [{ ...catalog().models[0]!, name: 'm "1"' }] });
    expect(first(runSection.items(held, NOBODY)).code).toContain(`ws.get_run("${RUN}")`);
    expect(first(datasetSection.items(held, NOBODY)).code).toContain('Dataset.get_by_name(ws, "heart", version=3)');
    expect(first(modelSection.items(held, NOBODY)).code).toContain('Model(ws, "m \\"1\\"", version=2).load()');
    expect(text('C:\\new')).toBe('"C:\\\\new"');
  });

  it('does not trust a model from a file by itself', () => {
    const held = catalog({ models: [{ ...catalog().models[0]!, run_id: null }] });
    expect(first(modelSection.items(held, NOBODY)).code).toContain('load(trust=False)');
  });
});

describe('models', () => {
  it('lead to their run, where there is one', async () => {
    const page = new FakePage();
    const item = first(modelSection.items(catalog(), NOBODY));
    await actionOf(item, 'Open its run').run(page.doings('/w'), {});
    await actionOf(item, 'Download').run(page.doings('/w'), {});
    expect(page.done).toEqual(['run nbautoml:open-run {"run":"AutoML_x"}', 'save /archive/heart-model/2']);
    const file = catalog({ models: [{ ...catalog().models[0]!, run_id: null }] });
    expect(() => actionOf(first(modelSection.items(file, NOBODY)), 'Open its run')).toThrow('no action');
    expect(parentOf('AutoML_x')).toBe('AutoML_x');
  });
});

describe('compute targets', () => {
  it('have a dashboard where they say so, and tell why they cannot be used', async () => {
    const [cluster] = catalog().computes.map(one => ({
      ...one,
      name: 'big',
      kind: 'dask',
      state: 'NotAvailable',
      problem: 'Use local.',
      nodes: 3,
      cores: null,
      memory_bytes: null,
      dashboard: 'http://big:8787/status'
    }));
    const page = new FakePage();
    const item = first(computeSection.items(catalog({ computes: [cluster!] }), NOBODY));
    expect([item.note, item.more]).toEqual(['dask · not available · 3 nodes', 'Use local.']);
    await actionOf(item, 'Open the Dask dashboard').run(page.doings('/w'), {});
    expect(page.done).toEqual(['visit http://big:8787/status']);
  });

  it('show the graphics cards of their nodes', () => {
    const [cluster] = catalog().computes.map(one => ({ ...one, name: 'lab', kind: 'Ssh', memory_bytes: 0, gpus: 2 }));
    expect(first(computeSection.items(catalog({ computes: [cluster!] }), NOBODY)).note).toBe('Ssh · ready · 4 cores · 2 GPUs');
  });

  it('scale, stop and go where they have a process of their own', async () => {
    const page = new FakePage();
    const item = first(computeSection.items(catalog({ computes: [cluster()] }), NOBODY));
    expect(item.note).toBe('DaskCluster · ready · 2 nodes · 0 to 3 · 4 cores · 8.0 GB');
    const scaled = await actionOf(item, 'Scale…').run(page.doings('/w'), { min_nodes: '1', max_nodes: '5', idle_seconds: '60' });
    expect(scaled).toBe('big has 1 to 5 nodes from now on.');
    await actionOf(item, 'Stop…').run(page.doings('/w'), {});
    await actionOf(item, 'Delete…').run(page.doings('/w'), {});
    expect(page.things.asked).toEqual([
      'scale big {"min_nodes":1,"max_nodes":5,"idle_seconds":60}',
      'stop big',
      'delete compute big'
    ]);
    const words = { min_nodes: 'few', max_nodes: '5', idle_seconds: '60' };
    await expect(actionOf(item, 'Scale…').run(page.doings('/w'), words)).rejects.toThrow('min_nodes must be a number; got few.');
  });

  it('start by hand, or when they are used', async () => {
    const page = new FakePage();
    const off = cluster({ is_started: false, nodes: 0, dashboard: null });
    const item = first(computeSection.items(catalog({ computes: [off] }), NOBODY));
    expect(item.note).toContain('starts when it is used');
    await actionOf(item, 'Start').run(page.doings('/w'), {});
    expect(page.things.asked).toEqual(['start big']);
  });

  it('without a process have nothing to turn off', () => {
    const labels = first(computeSection.items(catalog(), NOBODY)).actions.map(action => action.label);
    expect(labels).toEqual(['Open', 'Insert code', 'Copy name']);
  });
});

describe('runs', () => {
  it('that are stopping cannot be stopped again', () => {
    const item = first(runSection.items(catalog({ runs: [run({ status: 'CancelRequested' })] }), NOBODY));
    expect(() => actionOf(item, 'Stop…')).toThrow('no action');
    expect(item.note).toContain('Stopping');
  });

  it('are paused while they go on, and go on when they are paused', async () => {
    const page = new FakePage();
    const [running, paused, starting] = ['Running', 'Paused', 'Starting'].map(status =>
      first(runSection.items(catalog({ runs: [run({ status })] }), NOBODY))
    );
    await actionOf(running, 'Pause').run(page.doings('/w'), {});
    await actionOf(paused, 'Resume').run(page.doings('/w'), {});
    expect(page.things.asked).toEqual([`pause ${RUN}`, `resume ${RUN}`]);
    expect(() => actionOf(starting, 'Pause')).toThrow('no action');
  });

  it('propose names that the registry takes', () => {
    expect(['Heart failure', '-x', '!!!', 'a.b_c-1'].map(modelName)).toEqual(['Heart-failure', 'x', 'model', 'a.b_c-1']);
  });
});

describe('tags', () => {
  it('are written one a line and read back', () => {
    const tags = { b: '', area: 'hr: all' };
    expect(formatTags(tags)).toBe('area: hr: all\nb');
    expect(parseTags(formatTags(tags))).toEqual(tags);
    expect(parseTags(' \n a :1 ')).toEqual({ a: '1' });
  });
});

describe('deployments', () => {
  it('show their state, and can be deleted', async () => {
    const failed = deployment({ name: 'x', state: 'Failed', error: 'No module named y', run_ids: [] });
    const items = deploymentSection.items(catalog({ deployments: [deployment(), failed] }), NOBODY);
    expect(items.map(item => [item.key, item.status])).toEqual([
      ['deployment heart', 'Completed'],
      ['deployment x', 'Failed']
    ]);
    expect(items[1]?.more).toBe('No module named y');
    expect(items[1]?.actions.map(action => action.label)).not.toContain('Open its run');
    const page = new FakePage();
    expect(await actionOf(first(items), 'Delete…').run(page.doings('/home/me'), {})).toBe('heart is deleted.');
    expect(page.things.asked).toEqual(['delete deployment heart']);
  });
});
