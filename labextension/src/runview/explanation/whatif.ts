import { arrange, el, freshId, messageOf, on, onSend, say } from '../dom';
import type { AskWhatIf } from './rowview';
import type { Cell, Said, Sample, SampleColumn } from './types';
import { cellText, short } from './words';

/** A form with the cells of one row: change some, and see what the model would say. */
export class WhatIf {
  readonly node = el('details', { class: 'nba-whatif' });
  readonly #form = el('form');
  readonly #fields = el('div', { class: 'nba-cells' });
  readonly #send = el('button', { type: 'submit' }, 'Predict');
  readonly #reset = el('button', {}, 'As it was');
  readonly #message = el('p', { role: 'status' });
  #sample: Sample | null = null;
  #row = 0;
  #inputs: HTMLInputElement[] = [];

  constructor(private readonly ask: AskWhatIf) {
    this.node.append(el('summary', {}, 'What if this row were different?'), this.#form);
    const buttons = el('div', { class: 'nba-tools' }, this.#send, this.#reset);
    this.#form.append(this.#fields, buttons, this.#message);
    onSend(this.#form, () => this.#predict());
    on(this.#reset, 'click', () => this.#fill());
  }

  show(sample: Sample, row: number): void {
    if (this.#sample !== sample) {
      this.#sample = sample;
      const fields = sample.columns.map((column, i) => field(column, choices(sample, i)));
      this.#inputs = fields.map(([, input]) => input);
      arrange(this.#fields, fields.map(([label]) => label));
    }
    this.#row = row;
    this.#fill();
  }

  #fill(): void {
    this.#inputs.forEach((input, i) => {
      const cell = this.#sample?.cells[this.#row]?.[i] ?? null;
      input.value = cell === null ? '' : String(cell);
    });
    this.#say('');
  }

  async #predict(): Promise<void> {
    const changes = this.#changes();
    if (!Object.keys(changes).length) {
      this.#say('Change a cell first.');
      return;
    }
    const row = this.#row;
    this.#send.disabled = true;
    this.#say('Asking the model…');
    try {
      const { before, after } = await this.ask(row, changes);
      if (row === this.#row) {
        this.#say(difference(before, after));
      }
    } catch (error) {
      this.#say(messageOf(error));
    }
    this.#send.disabled = false;
  }

  #changes(): Record<string, Cell> {
    const changed: Record<string, Cell> = {};
    this.#sample?.columns.forEach((column, i) => {
      const cell = this.#sample?.cells[this.#row]?.[i] ?? null;
      const text = this.#inputs[i]?.value ?? '';
      if (text !== (cell === null ? '' : String(cell))) {
        changed[column.name] = typed(text, column);
      }
    });
    return changed;
  }

  #say(text: string): void {
    say(this.#message, text);
  }
}

/** What was written, as a number where the column holds numbers; nothing is a missing cell. */
export function typed(text: string, column: SampleColumn): Cell {
  const trimmed = text.trim();
  if (trimmed === '') {
    return null;
  }
  const number = Number(trimmed);
  return column.kind === 'number' && Number.isFinite(number) ? number : trimmed;
}

/** How the answers differ, in words. */
export function difference(before: Said, after: Said): string {
  const [from, to] = [cellText(before.prediction), cellText(after.prediction)];
  const words = from === to ? `The prediction stays ${to}.` : `The prediction changes from ${from} to ${to}.`;
  const shares = Object.entries(after.probabilities ?? {}).map(([name, share]) => {
    const was = before.probabilities?.[name] ?? null;
    return `${name}: ${short(was)} → ${short(share)}`;
  });
  return shares.length ? `${words} ${shares.join(', ')}` : words;
}

function choices(sample: Sample, column: number): string[] {
  const kind = sample.columns[column]?.kind;
  if (kind !== 'category' && kind !== 'boolean') {
    return [];
  }
  const found = new Set(sample.cells.map(cells => cells[column] ?? null).filter(cell => cell !== null));
  return [...found].map(String).sort();
}

function field(column: SampleColumn, offered: readonly string[]): [HTMLElement, HTMLInputElement] {
  const id = freshId('cell');
  const input = el('input', { id, autocomplete: 'off', placeholder: 'missing' });
  const label = el('label', { for: id, class: 'nba-muted' }, column.name);
  const node = el('div', {}, label, input);
  if (offered.length) {
    const list = el('datalist', { id: freshId('choices') }, ...offered.map(value => el('option', { value })));
    input.setAttribute('list', list.id);
    node.append(list);
  }
  return [node, input];
}
