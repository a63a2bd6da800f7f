import { el, fill, freshId, on, set } from '../runview/dom';
import type { Choices, FieldSpec, FieldValue, Kind } from './types';

/** What controls offer depends on these. */
export interface Context {
  readonly task: string;
  readonly columns: readonly string[];
  readonly classes: readonly string[];
  readonly computes: readonly string[];
}

/** The part of a field that holds its value. */
export interface Control {
  /** What a label is for, and what takes the focus. */
  readonly input: HTMLElement;
  /** The whole of it. */
  readonly node: HTMLElement;
  read(): FieldValue;
  write(value: FieldValue | undefined): void;
  update(context: Context): void;
}

type Maker = (spec: FieldSpec, changed: () => void) => Control;

const MAKERS: Readonly<Record<Kind, Maker>> = {
  number: (_spec, changed) => textControl(changed, 'decimal'),
  text: (_spec, changed) => textControl(changed, 'text'),
  combo: (spec, changed) => textControl(changed, 'text', ({ task }) => wordsOf(spec.choices[task])),
  class: (_spec, changed) => textControl(changed, 'text', ({ classes }) => classes),
  flag: flagControl,
  choice: (spec, changed) => selectControl(changed, ({ task }) => spec.choices[task] ?? [], unset(spec)),
  column: (spec, changed) => selectControl(changed, ({ columns }) => [listed(columns)], unset(spec)),
  compute: (spec, changed) => selectControl(changed, ({ computes }) => [listed(computes)], unset(spec)),
  several: (spec, changed) => checkControl(changed, ({ task }) => wordsOf(spec.choices[task])),
  columns: (_spec, changed) => checkControl(changed, ({ columns }) => columns)
};

export function makeControl(spec: FieldSpec, changed: () => void): Control {
  return MAKERS[spec.kind](spec, changed);
}

function wordsOf(groups: readonly Choices[] | undefined): string[] {
  return (groups ?? []).flatMap(({ words }) => words.map(([value]) => value));
}

function listed(names: readonly string[]): Choices {
  return { title: '', words: names.map(name => [name, name] as const) };
}

/** What the first line of a selection says: what becomes of a setting that is not given. */
function unset(spec: FieldSpec): (context: Context) => string {
  return ({ task }) => {
    if (spec.is_needed) {
      return 'Choose…';
    }
    const value = spec.default[task];
    return typeof value === 'string' ? `${value} (default)` : 'Not given';
  };
}

function textControl(
  changed: () => void,
  mode: 'decimal' | 'text',
  suggestions?: (context: Context) => readonly string[]
): Control {
  const input = el('input', { type: 'text', inputmode: mode, autocomplete: 'off', spellcheck: 'false' });
  on(input, 'input', changed);
  const node = el('span', { class: 'nba-control' }, input);
  const list = el('datalist', { id: freshId('words') });
  if (suggestions) {
    set(input, { list: list.id });
    node.append(list);
  }
  return {
    input,
    node,
    read: () => input.value,
    write: value => {
      const text = typeof value === 'string' ? value : '';
      if (input.value !== text) {
        input.value = text;
      }
    },
    update: context => {
      const words = suggestions?.(context) ?? [];
      if (list.dataset.words !== JSON.stringify(words)) {
        list.dataset.words = JSON.stringify(words);
        list.replaceChildren(...words.map(value => el('option', { value })));
      }
    }
  };
}

function flagControl(spec: FieldSpec, changed: () => void): Control {
  const input = el('input', { type: 'checkbox' });
  const standard = Object.values(spec.default)[0] === true;
  input.checked = standard;
  on(input, 'change', changed);
  return {
    input,
    node: el('span', { class: 'nba-control' }, input),
    read: () => input.checked,
    write: value => {
      input.checked = typeof value === 'boolean' ? value : standard;
    },
    update: () => undefined
  };
}

function selectControl(
  changed: () => void,
  groups: (context: Context) => readonly Choices[],
  first: (context: Context) => string
): Control {
  const input = el('select');
  on(input, 'change', changed);
  return {
    input,
    node: el('span', { class: 'nba-control' }, input),
    read: () => input.value,
    write: value => {
      input.value = typeof value === 'string' ? value : '';
    },
    update: context => offer(input, groups(context), first(context))
  };
}

/** Offer values under headings; what was chosen stays chosen while it is among them. */
export function offer(select: HTMLSelectElement, groups: readonly Choices[], first: string): void {
  const words = groups.flatMap(group => [...group.words]);
  const chosen = select.value;
  if (groups.every(({ title }) => !title)) {
    fill(select, [['', first], ...words], chosen);
    return;
  }
  const state = JSON.stringify([first, groups]);
  if (select.dataset.words !== state) {
    select.dataset.words = state;
    const parts = groups.map(group =>
      el('optgroup', { label: group.title }, ...group.words.map(([value, label]) => el('option', { value }, label)))
    );
    select.replaceChildren(el('option', { value: '' }, first), ...parts);
  }
  select.value = words.some(([value]) => value === chosen) ? chosen : '';
}

/** Several of a list: a box to tick for each. */
function checkControl(changed: () => void, names: (context: Context) => readonly string[]): Control {
  const node = el('div', { class: 'nba-checks', role: 'group', tabindex: -1 });
  const boxes = new Map<string, HTMLInputElement>();
  let offered = '';
  let chosen = new Set<string>();
  const make = (name: string): HTMLElement => {
    const box = el('input', { type: 'checkbox' });
    box.checked = chosen.has(name);
    on(box, 'change', () => {
      chosen = new Set([...boxes].filter(([, { checked }]) => checked).map(([word]) => word));
      changed();
    });
    boxes.set(name, box);
    return el('label', {}, box, ` ${name}`);
  };
  return {
    input: node,
    node,
    read: () => [...chosen],
    write: value => {
      chosen = new Set(Array.isArray(value) ? (value as string[]) : []);
      boxes.forEach((box, name) => (box.checked = chosen.has(name)));
    },
    update: context => {
      const words = names(context);
      if (offered !== JSON.stringify(words)) {
        offered = JSON.stringify(words);
        chosen = new Set([...chosen].filter(name => words.includes(name)));
        boxes.clear();
        node.replaceChildren(...words.map(make));
      }
    }
  };
}
