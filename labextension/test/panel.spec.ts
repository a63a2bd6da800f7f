import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Memory } from '../src/panel/memory';
import { Panel, type CatalogSource } from '../src/panel/panel';
import { readSettings } from '../src/panel/settings';
import type { Catalog, WorkspaceItem } from '../src/panel/types';
import { frame, full, header, RUN } from './fixtures';
import { ARABIC, catalog, EMOJI, FakePage, HOME, OTHER, run, SCRIPT } from './panelfixtures';

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

  async catalog(workspace: string, runs: number): Promise<Catalog> {
    this.asked.push(`${workspace} ${runs}`);
    return this.held;
  }
}

let source: FakeSource;
let page: FakePage;
let panel: Panel;
let kept: { workspace: string; folded: string[] } | undefined;

const keeper = {
  fetch: async () => kept,
  save: async (_id: string, value: { workspace: string; folded: string[] }) => {
    kept = value;
  }
};
const settle = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(0));
const all = (selector: string): HTMLElement[] =>
  [...panel.node.querySelectorAll<HTMLElement>(selector)].filter(node => !node.closest('[hidden]'));
const one = (selector: string): HTMLElement => all(selector)[0]!;
const texts = (selector: string): string[] => all(selector).map(node => node.textContent ?? '');
const line = (title: string): HTMLElement => all('.nba-item').find(node => node.textContent?.includes(title))!;
const main = (title: string): HTMLElement => line(title).querySelector<HTMLElement>('.nba-itemmain')!;
const press = (node: HTMLElement, key: string): boolean =>
  node.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));

async function choose(title: string, label: string): Promise<void> {
  line(title).querySelector<HTMLElement>('[aria-haspopup]')!.click();
  const entry = [...document.querySelectorAll<HTMLElement>('[role=menuitem]')].find(
    node => node.querySelector('span')?.textContent === label
  );
  expect(entry, `${label} in the menu of ${title}`).toBeDefined();
  entry!.click();
  await settle();
}

async function write(name: string, text: string): Promise<void> {
  const field = all('.nba-askfields label').find(node => node.textContent?.startsWith(name))!;
  (field.querySelector('input, textarea') as HTMLInputElement).value = text;
  await settle();
}

async function send(): Promise<void> {
  one('.nba-ask').dispatchEvent(new Event('submit', { cancelable: true }));
  await settle();
}

function type(text: string): void {
  const input = panel.node.querySelector<HTMLInputElement>('input[type=search]')!;
  input.value = text;
  input.dispatchEvent(new Event('input'));
}

async function build(): Promise<void> {
  const memory = new Memory(keeper);
  await memory.load();
  panel = new Panel(source, page, memory);
  document.body.replaceChildren(panel.node);
  await panel.update();
}

beforeEach(async () => {
  vi.useFakeTimers();
  source = new FakeSource();
  page = new FakePage();
  kept = undefined;
  await build();
});
afterEach(() => {
  panel.dispose();
  vi.useRealTimers();
});

describe('the lists', () => {
  it('show what the latest workspace holds', () => {
    expect(source.asked).toEqual(['/home/me 50']);
    expect(texts('.nba-sectionhead')).toEqual(['Runs1', 'Datasets1', 'Models1', 'Pipelines0', 'Deployments1', 'Compute1', 'Workspace1']);
    expect(texts('.nba-itemtitle')).toEqual(['AutoML_5f0c9d6e', 'heart', 'heart-model', 'served', 'local', 'home']);
    expect(texts('.nba-itemnote')[0]).toContain('Running · accuracy 0.7500');
    expect(texts('.nba-itemnote')[4]).toBe('this machine · ready · 4 cores · 8.0 GB');
    expect(texts('.nba-itemnote')[5]).toBe('/home/me\nSQLite · 2 experiments · 7 runs · 1 dataset · 1 model');
  });

  it('have the runs of an experiment together, the newest first', async () => {
    source.held = catalog({
      runs: [run({ id: 'AutoML_c', experiment: 'b' }), run({ id: 'AutoML_b', experiment: 'a' }), run({ id: 'AutoML_a', experiment: 'b' })]
    });
    await panel.update();
    expect(texts('.nba-grouphead')).toEqual(['b2', 'a1']);
    expect(texts('[aria-label="Runs: b"] .nba-itemtitle')).toEqual(['AutoML_c', 'AutoML_a']);
  });

  it('show names of all kinds as text', async () => {
    const names = [SCRIPT, EMOJI, ARABIC];
    const { datasets } = catalog();
    source.held = catalog({ datasets: names.map((name, i) => ({ ...datasets[0]!, id: String(i), name })) });
    await panel.update();
    expect(texts('[aria-label=Datasets] .nba-itemtitle')).toEqual(names);
    expect(panel.node.querySelector('script')).toBeNull();
    expect(all('[aria-label=Datasets] bdi')).toHaveLength(3);
  });

  it('say what to do when there is nothing', async () => {
    source.held = catalog({ runs: [], datasets: [] });
    await panel.update();
    expect(texts('.nba-section p')).toEqual([
      'No runs yet. A cell that begins with %%automl starts one.',
      'No registered datasets. Dataset.Tabular…register(ws, name) makes one.',
      'No published pipelines. pipeline.publish(name) makes one.'
    ]);
    source.known = [];
    await panel.update();
    expect(texts('.nba-message')[0]).toContain('No workspace has been opened yet');
    expect(texts('.nba-itemtitle')).toEqual([]);
  });

  it('say what went wrong, and go on later', async () => {
    source.refusal = new Error('The server is gone.');
    expect(await panel.update()).toBe(false);
    expect(texts('.nba-message')).toEqual(['The server is gone.']);
    expect(texts('.nba-itemtitle')).toHaveLength(6);
    source.refusal = null;
    expect(await panel.update()).toBe(true);
    expect(texts('.nba-message')).toEqual([]);
  });

  it('keep their lines when they are read again', async () => {
    const before = line('heart');
    await panel.update();
    expect(line('heart')).toBe(before);
  });
});

describe('what is remembered', () => {
  it('is the workspace that was chosen, whose name is text', async () => {
    const choice = one('select') as HTMLSelectElement;
    expect([...choice.options].map(option => option.textContent)).toEqual(['home', '<i>other']);
    choice.value = '/other';
    choice.dispatchEvent(new Event('change'));
    await settle();
    expect(source.asked).toEqual(['/home/me 50', '/other 50']);
    await build();
    expect(panel.root).toBe('/other');
  });

  it('is what was folded, sections and groups', async () => {
    one('.nba-grouphead').click();
    expect(one('.nba-grouphead').getAttribute('aria-expanded')).toBe('false');
    expect(texts('.nba-itemtitle')).not.toContain('AutoML_5f0c9d6e');
    all('.nba-sectionhead')[1]?.click();
    await build();
    expect(texts('.nba-itemtitle')).toEqual(['heart-model', 'served', 'local', 'home']);
    all('.nba-sectionhead')[1]?.click();
    expect(texts('.nba-itemtitle')).toEqual(['heart', 'heart-model', 'served', 'local', 'home']);
  });

  it('is nothing that cannot be read', async () => {
    const memory = new Memory({ fetch: () => Promise.reject(new Error('gone')), save: () => Promise.reject(new Error('gone')) });
    await memory.load();
    memory.setFolded('runs', true);
    expect(memory.isFolded('runs')).toBe(true);
    await settle();
  });
});

describe('the filter', () => {
  it('shows what has all its words, in every section, folded or not', async () => {
    one('.nba-grouphead').click();
    type('heart');
    expect(texts('.nba-itemtitle')).toEqual(['heart', 'heart-model']);
    expect(texts('.nba-sectionhead')).toEqual(['Datasets1 of 1', 'Models1 of 1']);
    type('exp ACCURACY');
    expect(texts('.nba-itemtitle')).toEqual(['AutoML_5f0c9d6e']);
    type('');
    expect(texts('.nba-itemtitle')).toEqual(['heart', 'heart-model', 'served', 'local', 'home']);
  });

  it('finds tags', () => {
    type('area: care');
    expect(texts('.nba-itemtitle')).toEqual(['heart']);
  });

  it('says when nothing fits', () => {
    type('zebra');
    expect(texts('.nba-nothing')).toEqual(['Nothing here fits “zebra”.']);
  });
});

describe('the settings', () => {
  it('hide sections, ask for more runs, and change the pace', async () => {
    const paces: number[] = [];
    panel.onPace = seconds => void paces.push(seconds);
    panel.configure(readSettings({ pollSeconds: 30, mostRuns: 200, sections: { runs: false, compute: true } }));
    await settle();
    expect(texts('.nba-sectionhead')).toEqual(['Datasets1', 'Models1', 'Pipelines0', 'Deployments1', 'Compute1', 'Workspace1']);
    expect(source.asked).toEqual(['/home/me 50', '/home/me 200']);
    expect(paces).toEqual([30]);
    type('accuracy');
    expect(texts('.nba-nothing')).toHaveLength(1);
  });

  it('that cannot be used are as they are by default', () => {
    const read = readSettings({ pollSeconds: 0, mostRuns: 'many', sections: null });
    expect(read).toEqual({ pollSeconds: 5, mostRuns: 50, sections: {} });
  });
});

describe('a line', () => {
  it('opens by a double click and by Enter, inserts, and is dragged', async () => {
    main('AutoML_5f0c').dispatchEvent(new MouseEvent('dblclick'));
    press(main('299 × 13'), 'Enter');
    line('heart-model').querySelector<HTMLElement>('.nba-itemaction')!.click();
    main('local').dispatchEvent(new MouseEvent('pointerdown', { button: 0 }));
    await settle();
    expect(page.done).toHaveLength(4);
    expect(page.done).toContain(`run nbautoml:open-run {"run":"${RUN}"}`);
    expect(page.done).toContain('run nbautoml:open-dataset {"dataset":"d-1"}');
    expect(page.done).toContain('drag compute local');
    expect(page.done.find(what => what.startsWith('insert'))).toContain('Model(ws, "heart-model", version=2).load()');
  });

  it('says at its place what went wrong, until that is put away', async () => {
    page.noNotebook = true;
    await choose('299 × 13', 'Insert code');
    const notice = line('299 × 13').querySelector<HTMLElement>('.nba-notice')!;
    expect(notice.querySelector('[role=status]')?.textContent).toBe('Open a notebook to put the code into.');
    expect(notice.classList.contains('nba-error')).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(notice.hidden).toBe(false);
    notice.querySelector('button')!.click();
    expect(notice.hidden).toBe(true);
  });

  it('says what was done for a while', async () => {
    await choose('299 × 13', 'Copy name');
    expect(page.done).toEqual(['copy heart']);
    expect(texts('.nba-notice')[0]).toContain('Copied.');
    await vi.advanceTimersByTimeAsync(8000);
    expect(texts('.nba-notice')).toEqual([]);
  });

  it('asks before it does what cannot be taken back', async () => {
    await choose('heart-model', 'Delete version…');
    expect(one('.nba-ask p').textContent).toContain('Delete version 2 of heart-model?');
    expect(document.activeElement?.textContent).toBe('Cancel');
    expect(page.things.asked).toEqual([]);
    press(one('.nba-ask'), 'Escape');
    expect(all('.nba-ask')).toEqual([]);
    expect(document.activeElement).toBe(main('heart-model'));
    press(main('heart-model'), 'Delete');
    const nRead = source.asked.length;
    await send();
    expect(page.things.asked).toEqual(['delete heart-model 2']);
    expect(source.asked).toHaveLength(nRead + 1);
  });

  it('tells an error of the server where it was asked for', async () => {
    page.things.refusal = new Error("Model 'heart-model' has no version 2.");
    press(main('heart-model'), 'Delete');
    await send();
    const notice = line('heart-model').querySelector('.nba-error');
    expect(notice?.textContent).toContain("Model 'heart-model' has no version 2.");
    expect(texts('.nba-message')).toEqual([]);
  });

  it('changes only what was written anew', async () => {
    press(main('299 × 13'), 'F2');
    await write('Description', 'Patients');
    await send();
    press(main('299 × 13'), 'F2');
    await write('Tags', 'area: heart\nchecked\n : nothing');
    await send();
    press(main('299 × 13'), 'F2');
    await send();
    expect(page.things.asked).toEqual([
      'change dataset d-1 {"description":"Patients"}',
      'change dataset d-1 {"tags":{"area":"heart","checked":""}}'
    ]);
    expect(texts('.nba-notice')[0]).toContain('Nothing was changed.');
  });

  it('gives its focus to the heading when it goes', async () => {
    main('heart-model').focus();
    source.held = catalog({ models: [] });
    await panel.update();
    expect(document.activeElement?.textContent).toBe('Models0');
  });

  it('is reached by the arrow keys, over headings', () => {
    const heads = all('.nba-sectionhead');
    heads[0]!.focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown']) {
      press(document.activeElement as HTMLElement, key);
    }
    expect(document.activeElement).toBe(main('299 × 13'));
    press(document.activeElement as HTMLElement, 'ArrowUp');
    expect(document.activeElement).toBe(heads[1]);
    press(document.activeElement as HTMLElement, 'End');
    expect(document.activeElement).toBe(main('/home/me'));
  });
});

describe('a run', () => {
  it('is stopped after a question, and finished without one', async () => {
    await choose('AutoML_5f0c', 'Finish now');
    await choose('AutoML_5f0c', 'Stop…');
    expect(one('.nba-ask p').textContent).toBe('Stop this run? Finished models are kept.');
    await send();
    expect(page.things.asked).toEqual([`finish_now ${RUN}`, `cancel ${RUN}`]);
  });

  it('has a best model to register, under a name the registry takes', async () => {
    source.held = catalog({ runs: [run({ status: 'Completed', is_live: false, best: 7, experiment: 'my heart!' })] });
    await panel.update();
    await choose('AutoML_5f0c', 'Register best model…');
    expect((one('.nba-askfields input') as HTMLInputElement).value).toBe('my-heart-');
    await write('Description', 'good');
    await send();
    expect(page.things.asked).toEqual([`register ${RUN} 7 my-heart- good`]);
    expect(texts('.nba-notice')[0]).toContain('Registered as my-heart-, version 1.');
  });

  it('that has ended cannot be stopped', async () => {
    source.held = catalog({ runs: [run({ status: 'Completed', is_live: false })] });
    await panel.update();
    line('AutoML_5f0c').querySelector<HTMLElement>('[aria-haspopup]')!.click();
    const labels = [...document.querySelectorAll('[role=menuitem]')].map(node => node.textContent);
    expect(labels).toEqual(['Open', 'Insert code', 'Copy id']);
  });

  it('is followed live while the panel can be seen, and only then', async () => {
    expect(page.listeners.size).toBe(0);
    panel.setVisible(true);
    const listener = page.listeners.get(RUN)!;
    listener.onFull(full({ seq: 4, header: header({ n_done: 12, progress: 0.2 }) }));
    expect(texts('.nba-itemnote')[0]).toContain('Running · AUC_weighted 0.9000 · 12 of 60');
    expect(one('.nba-itembar').style.width).toBe('20%');
    listener.onFrame(frame(4, 6, { header: { n_done: 13 } }));
    expect(texts('.nba-itemnote')[0]).toContain('13 of 60');
    listener.onFrame(frame(4, 6, { header: { n_done: 99 } }));
    expect(texts('.nba-itemnote')[0]).toContain('13 of 60');
    listener.onFrame(frame(9, 10, { header: { n_done: 20 } }));
    listener.onFrame(frame(10, 11, { header: { n_done: 21 } }));
    expect(page.done).toEqual([`ask again ${RUN}`]);
    listener.onConnection(false);
    expect(texts('.nba-itemnote')[0]).toContain('Running · accuracy 0.7500');
    panel.setVisible(false);
    expect(page.listeners.size).toBe(0);
  });

  it('is one of three at most that are followed', async () => {
    source.held = catalog({ runs: ['a', 'b', 'c', 'd'].map(id => run({ id })) });
    panel.setVisible(true);
    await panel.update();
    expect([...page.listeners.keys()]).toEqual(['a', 'b', 'c']);
    source.held = catalog({ runs: [run({ id: 'd' }), run({ id: 'a', is_live: false })] });
    await panel.update();
    expect([...page.listeners.keys()]).toEqual(['d']);
  });
});

describe('a new run', () => {
  it('is offered where there is a form for it', () => {
    expect(all('.nba-new')).toEqual([]);
    panel.offerNewRun(true);
    one('.nba-new').click();
    expect(page.done).toEqual(['new run /home/me']);
  });
});
