import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CodeTab } from '../src/runview/code';
import { Columns } from '../src/runview/columns';
import { LabelBars } from '../src/runview/label';
import { Logs } from '../src/runview/logs';
import { ModelActions } from '../src/runview/modelactions';
import { fromFull } from '../src/runview/model';
import type { LogLine, RunColumn } from '../src/runview/types';
import { FakeTransport, full, header } from './fixtures';

let transport: FakeTransport;

const state = (changes = {}) => fromFull(full(changes));
const settle = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(0));
const line = (seq: number, text: string, level = 'INFO'): LogLine => ({ seq, time: 1000 + seq, level, text });

function column(name: string, changes: Partial<RunColumn> = {}): RunColumn {
  return { name, dtype: 'float64', purpose: 'Numeric', used: true, reason: 'Numbers.', notes: [], ...changes };
}

function find<T extends Element = HTMLElement>(node: Element, selector: string): T {
  const found = node.querySelector<T>(selector);
  if (!found) {
    throw new Error(`nothing matches ${selector}`);
  }
  return found;
}

const type = (node: Element, text: string): void => {
  const input = find<HTMLInputElement>(node, 'input[type=search]');
  input.value = text;
  input.dispatchEvent(new Event('input'));
};

beforeEach(() => {
  vi.useFakeTimers();
  transport = new FakeTransport();
});
afterEach(() => void vi.useRealTimers());

describe('the log', () => {
  const texts = (logs: Logs): string[] =>
    [...logs.node.querySelectorAll('.nba-log > div span')].map(node => node.textContent ?? '');
  const open = (): Logs => {
    const logs = new Logs(after => transport.log(after));
    logs.setOpen(true);
    logs.update(state());
    return logs;
  };

  it('is not asked for while nobody looks', async () => {
    const logs = new Logs(after => transport.log(after));
    logs.update(state());
    await settle();
    expect(transport.asked).toEqual([]);
  });

  it('adds what is new, at most once a second', async () => {
    transport.logs = { seq: 10, lines: [line(1, 'one'), line(9, 'two')] };
    const logs = open();
    await settle();
    expect(texts(logs)).toEqual(['one', 'two']);
    transport.logs = { seq: 12, lines: [line(1, 'one'), line(9, 'two'), line(12, 'three')] };
    logs.update(state({ seq: 11 }));
    logs.update(state({ seq: 12 }));
    expect(transport.asked).toEqual(['log 0']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(transport.asked).toEqual(['log 0', 'log 10']);
    expect(texts(logs)).toEqual(['one', 'two', 'three']);
    await vi.advanceTimersByTimeAsync(5000);
    expect(transport.asked).toHaveLength(2);
  });

  it('shows problems only, or lines with a word', async () => {
    transport.logs = { seq: 10, lines: [line(1, 'All is well'), line(2, 'No memory', 'WARNING')] };
    const logs = open();
    await settle();
    type(logs.node, 'WELL');
    expect(texts(logs)).toEqual(['All is well']);
    type(logs.node, '');
    const only = find<HTMLInputElement>(logs.node, 'input[type=checkbox]');
    only.checked = true;
    only.dispatchEvent(new Event('change'));
    expect(texts(logs)).toEqual(['No memory']);
  });

  it('shows text as text, and a bounded number of lines', async () => {
    const lines = Array.from({ length: 2500 }, (_, i) => line(i + 1, `<img src=x> ${i}`));
    transport.logs = { seq: 2500, lines };
    const logs = open();
    await settle();
    expect(logs.node.querySelector('img')).toBeNull();
    expect(texts(logs)).toHaveLength(2000);
    expect(texts(logs)[1999]).toBe('<img src=x> 2499');
  });

  it('says what went wrong and asks again', async () => {
    transport.refusal = new Error('The server is gone.');
    transport.logs = { seq: 10, lines: [line(1, 'one')] };
    const logs = open();
    await settle();
    expect(find(logs.node, '[role=status]').textContent).toBe('The server is gone.');
    transport.refusal = null;
    await vi.advanceTimersByTimeAsync(1000);
    expect(texts(logs)).toEqual(['one']);
    expect(find<HTMLElement>(logs.node, '[role=status]').hidden).toBe(true);
    logs.dispose();
  });
});

describe('the code', () => {
  const code = (tab: CodeTab): string[] => [...tab.node.querySelectorAll('pre')].map(node => node.textContent ?? '');
  const open = (): CodeTab => {
    const tab = new CodeTab(transport);
    tab.setOpen(true);
    tab.update(state());
    return tab;
  };

  it('is of the run and of its best model', async () => {
    const tab = open();
    await settle();
    expect(code(tab)).toEqual(['predict()', 'submit()', 'print(1)']);
    const links = [...tab.node.querySelectorAll('a')].map(a => a.getAttribute('href'));
    expect(links).toEqual([
      '/file/1/outputs/generated_code/script.py',
      '/file/1/outputs/generated_code/script_run_notebook.ipynb'
    ]);
  });

  it('is asked for once, and again for another model', async () => {
    const tab = open();
    await settle();
    tab.update(state({ seq: 11 }));
    tab.select(0);
    await settle();
    expect(transport.asked).toEqual(['code', 'script 1', 'script 0']);
    expect(code(tab)[2]).toBe('print(0)');
  });

  it('has none of a model that is not finished', async () => {
    const tab = open();
    tab.select(2);
    await settle();
    expect(transport.asked).toEqual(['code']);
    expect(find<HTMLElement>(tab.node, 'section:last-child').hidden).toBe(true);
  });

  it('can be copied, or is selected where that is not allowed', async () => {
    const tab = open();
    await settle();
    const writeText = vi.fn(async () => undefined);
    vi.stubGlobal('navigator', { clipboard: { writeText } });
    const button = find<HTMLButtonElement>(tab.node, 'button');
    button.click();
    await settle();
    expect(writeText).toHaveBeenCalledWith('predict()');
    expect(button.textContent).toBe('Copied');
    vi.stubGlobal('navigator', {});
    button.click();
    await settle();
    expect(button.textContent).toBe('Selected');
    vi.unstubAllGlobals();
  });

  it('says what went wrong and asks again', async () => {
    transport.refusal = new Error('No code.');
    const tab = open();
    await settle();
    expect(find(tab.node, '[role=status]').textContent).toBe('No code.');
    transport.refusal = null;
    tab.update(state());
    await settle();
    expect(code(tab)[0]).toBe('predict()');
  });
});

describe('the columns', () => {
  const rows = (columns: Columns): string[][] =>
    [...columns.node.querySelectorAll('tbody tr')].map(row => [...row.children].map(cell => cell.textContent ?? ''));
  const open = async (): Promise<Columns> => {
    const columns = new Columns(() => transport.columns());
    columns.setOpen(true);
    columns.update(state());
    await settle();
    return columns;
  };

  it('say what each is used as, and why', async () => {
    transport.data = {
      rows: 200,
      columns: [
        column('age', { n_missing: 5, n_unique: 60, mean: 40.5, min: 20, max: 90 }),
        column('<b>id', { purpose: 'Ignore', used: false, reason: 'It numbers the rows.', notes: ['An id.'] })
      ]
    };
    const columns = await open();
    expect(rows(columns)).toEqual([
      ['age', 'Numeric', '5 (2.5 %)', '60', '40.5000', '20.0000', '90.0000', 'Numbers.'],
      ['<b>id', 'not used', '', '', '', '', '', 'It numbers the rows. An id.']
    ]);
    expect(columns.node.textContent).toContain('2 columns · 1 of all not used');
  });

  it('are asked for once, when the data was looked at', async () => {
    const columns = new Columns(() => transport.columns());
    columns.setOpen(true);
    columns.update(state({ header: header({ data: null }) }));
    await settle();
    expect(transport.asked).toEqual([]);
    transport.data = { rows: 1, columns: [column('a')] };
    columns.update(state());
    await settle();
    columns.update(state({ seq: 11 }));
    await settle();
    expect(transport.asked).toEqual(['columns']);
  });

  it('stay few in the page when they are many', async () => {
    transport.data = { rows: 10, columns: Array.from({ length: 500 }, (_, i) => column(`c${i}`)) };
    const columns = await open();
    expect(rows(columns)).toHaveLength(100);
    find<HTMLButtonElement>(columns.node, 'button').click();
    expect(rows(columns)).toHaveLength(200);
    type(columns.node, 'c499');
    expect(rows(columns).map(cells => cells[0])).toEqual(['c499']);
  });
});

describe('what can be done with a model', () => {
  const press = (node: Element, text: string): void =>
    [...node.querySelectorAll('button')].find(button => button.textContent === text)?.click();

  it('offers the model as ONNX where the run was asked for it, else says why not', () => {
    const links = (onnx: { is_ready: boolean; refused: string } | null): (string | null)[] => {
      const { node } = new ModelActions(4, 'heart', transport, {}, onnx);
      return [...node.querySelectorAll('a')].map(link => link.textContent);
    };
    expect(links(null)).toEqual(['Download model']);
    expect(links({ is_ready: false, refused: '' })).toEqual(['Download model', 'Download ONNX']);
    const { node } = new ModelActions(4, 'heart', transport, {}, { is_ready: true, refused: '' });
    expect(node.querySelectorAll('a')[1]?.getAttribute('href')).toContain('outputs/model.onnx');
    const refused = new ModelActions(4, 'heart', transport, {}, { is_ready: false, refused: 'KNN cannot <b>.' });
    expect(refused.node.querySelectorAll('a')).toHaveLength(1);
    expect(refused.node.textContent).toContain('There is no ONNX model: KNN cannot <b>.');
  });

  it('is registered under the name that is given', async () => {
    const { node } = new ModelActions(4, 'heart', transport);
    document.body.replaceChildren(node);
    press(node, 'Register…');
    const [name, description] = [...node.querySelectorAll('input')];
    expect(name?.value).toBe('heart');
    description!.value = 'A first try';
    find<HTMLFormElement>(node, 'form').dispatchEvent(new Event('submit'));
    await settle();
    expect(transport.registered).toEqual([{ n: 4, name: 'heart', description: 'A first try' }]);
    expect(find(node, '[role=status]').textContent).toBe('Registered as heart, version 3.');
    expect(find<HTMLElement>(node, 'form').hidden).toBe(true);
  });

  it('says where it was asked why it could not be done', async () => {
    transport.refusal = new Error('That name is not allowed.');
    const { node } = new ModelActions(4, 'heart', transport);
    press(node, 'Register…');
    find<HTMLFormElement>(node, 'form').dispatchEvent(new Event('submit'));
    await settle();
    expect(find(node, '[role=status]').textContent).toBe('That name is not allowed.');
    expect(find<HTMLElement>(node, 'form').hidden).toBe(false);
  });

  it('is given up with Escape', () => {
    const { node } = new ModelActions(4, 'heart', transport);
    press(node, 'Register…');
    find(node, 'input').dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    expect(find<HTMLElement>(node, 'form').hidden).toBe(true);
  });

  it('is downloaded from the server', () => {
    const { node } = new ModelActions(4, 'heart', transport);
    expect(find(node, 'a').getAttribute('href')).toBe('/archive/4');
  });
});

describe('the label', () => {
  const texts = (bars: LabelBars): string[] => [...bars.node.querySelectorAll('tr')].map(row => row.textContent ?? '');

  it('shows the rows of each class, as text', () => {
    const bars = new LabelBars();
    expect(bars.node.hasAttribute('hidden')).toBe(true);
    const counts: [string, number[]][] = [
      ['<b>no</b>', [300, 20]],
      ['3 other classes', [100, 0]]
    ];
    bars.update({ name: 'ill', kind: 'classes', rows: [400, 20], bars: counts, others: 3 });
    expect(bars.node.textContent).toContain('400 training rows · 20 validation rows · 4 classes');
    expect(texts(bars)[0]).toBe('<b>no</b>300 (75.0 %) · 20 (100.0 %)');
    const widths = [...bars.node.querySelectorAll('b')].map(bar => (bar as HTMLElement).style.width);
    expect(widths).toEqual(['100.00%', '100.00%', '33.33%', '0.00%']);
  });

  it('says where numbers have their centre', () => {
    const bars = new LabelBars();
    const ranges: [string, number[]][] = [
      ['0 to 1', [3]],
      ['1 to 2', [1]]
    ];
    bars.update({ name: 'price', kind: 'numbers', rows: [4], bars: ranges, mean: 0.75, median: 0.5 });
    expect(bars.node.textContent).toContain('4 training rows · mean 0.7500 · median 0.5000');
  });
});
