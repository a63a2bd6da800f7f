import type { Colors } from './colors';
import type { Component } from './component';
import { arrange, el, on } from './dom';
import type { RunState } from './model';

/** Names of the families in the chart with their colours; a click filters the table. */
export class Legend implements Component {
  readonly node = el('div', { class: 'nba-legend', role: 'group', 'aria-label': 'Model families' });
  readonly #chips = new Map<string, HTMLButtonElement>();

  constructor(
    private readonly colors: Colors,
    private readonly onPick: (family: string) => void
  ) {}

  update(state: RunState): void {
    const families = new Set([...state.trials.values()].filter(t => t.status === 'Completed').map(t => t.family));
    arrange(this.node, [...families].map(family => this.#chip(family)));
  }

  #chip(family: string): HTMLButtonElement {
    let chip = this.#chips.get(family);
    if (!chip) {
      const square = el('i', { style: `background:${this.colors.of(family)}`, 'aria-hidden': 'true' });
      const name = el('span', {}, family);
      chip = el('button', { title: `Show only ${family} in the table` }, square, name);
      on(chip, 'click', () => this.onPick(family));
      this.#chips.set(family, chip);
    }
    return chip;
  }
}
