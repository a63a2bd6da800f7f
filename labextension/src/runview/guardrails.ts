import type { Component } from './component';
import { arrange, el, setText, show } from './dom';
import { plain, plural } from './format';
import type { RunState } from './model';
import type { Guardrail } from './types';

const MAX_DETAILS = 50;

/** What was checked on the data and what was found, alerts first; details open on demand. */
export class Guardrails implements Component {
  readonly node = el('section', { class: 'nba-guardrails' });
  readonly #validation = el('p', { class: 'nba-muted' });
  readonly #list = el('div');
  readonly #empty = el('p', { class: 'nba-muted' }, 'The data has not been checked yet.');
  readonly #items = new Map<string, { guardrail: Guardrail; node: HTMLDetailsElement }>();

  constructor() {
    this.node.append(this.#validation, this.#list, this.#empty);
  }

  update(state: RunState): void {
    const { data, dataset } = state.header;
    const facts = [dataset ?? '', data?.validation ?? ''].filter(Boolean);
    setText(this.#validation, facts.join(' · '));
    show(this.#validation, facts.length > 0);
    show(this.#empty, state.guardrails.length === 0);
    const order = ['Alerted', 'Done', 'Passed'];
    const sorted = [...state.guardrails].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
    arrange(this.#list, sorted.map(guardrail => this.#item(guardrail)));
  }

  #item(guardrail: Guardrail): HTMLDetailsElement {
    const known = this.#items.get(guardrail.name);
    if (known?.guardrail === guardrail) {
      return known.node;
    }
    const node = draw(guardrail);
    node.open = known?.node.open ?? false;
    this.#items.set(guardrail.name, { guardrail, node });
    return node;
  }
}

function draw(guardrail: Guardrail): HTMLDetailsElement {
  const state = el('span', { class: 'nba-state', 'data-state': guardrail.state }, guardrail.state);
  const summary = el('summary', {}, state, el('span', {}, guardrail.name));
  const node = el('details', {}, summary, el('p', {}, guardrail.description));
  if (guardrail.details.length) {
    node.append(table(guardrail.details.slice(0, MAX_DETAILS)));
  }
  const rest = guardrail.details.length - MAX_DETAILS;
  if (rest > 0) {
    node.append(el('p', { class: 'nba-muted' }, `and ${plural(rest, 'more row')}`));
  }
  return node;
}

function table(rows: readonly Record<string, unknown>[]): HTMLTableElement {
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))];
  const head = el('tr', {}, ...names.map(name => el('th', { scope: 'col' }, name.replace(/_/g, ' '))));
  const body = rows.map(row => el('tr', {}, ...names.map(name => el('td', {}, cell(row[name])))));
  return el('table', { class: 'nba-table' }, el('thead', {}, head), el('tbody', {}, ...body));
}

function cell(value: unknown): string {
  return value === null || value === undefined ? '' : plain(value);
}
