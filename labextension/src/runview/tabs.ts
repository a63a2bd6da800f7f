import { el, freshId, on, set, setText, show } from './dom';

export interface Tab {
  readonly label: string;
  readonly panel: Element;
  /** Told when the tab comes to sight, and when it goes. */
  setOpen?(isOpen: boolean): void;
}

/** A row of tabs; arrows move between them, as the ARIA pattern has it. */
export class Tabs {
  readonly node = el('div', { class: 'nba-tabs' });
  readonly #buttons: HTMLButtonElement[] = [];

  constructor(private readonly tabs: readonly Tab[]) {
    const list = el('div', { role: 'tablist', class: 'nba-tablist' });
    tabs.forEach((tab, i) => {
      const [id, panelId] = [freshId('tab'), freshId('panel')];
      const button = el('button', { role: 'tab', id, 'aria-controls': panelId }, tab.label);
      set(tab.panel, { role: 'tabpanel', id: panelId, 'aria-labelledby': id });
      on(button, 'click', () => this.open(i));
      this.#buttons.push(button);
      list.append(button);
    });
    on(list, 'keydown', event => this.#onKey(event));
    this.node.append(list, ...tabs.map(tab => tab.panel));
    this.open(0);
  }

  /** Change a tab's label, for example to show a count. */
  setLabel(i: number, label: string): void {
    const button = this.#buttons[i];
    if (button) {
      setText(button, label);
    }
  }

  /** Take a tab away as long as there is nothing in it. */
  setShown(i: number, isShown: boolean): void {
    const button = this.#buttons[i];
    if (button) {
      show(button, isShown);
    }
  }

  open(chosen: number): void {
    this.tabs.forEach((tab, i) => {
      show(tab.panel, i === chosen);
      tab.setOpen?.(i === chosen);
    });
    this.#buttons.forEach((button, i) =>
      set(button, { 'aria-selected': String(i === chosen), tabindex: i === chosen ? 0 : -1 })
    );
  }

  #onKey(event: KeyboardEvent): void {
    const shown = this.#buttons.filter(button => !button.hidden);
    const at = shown.indexOf(event.target as HTMLButtonElement);
    const steps: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 };
    const step = steps[event.key];
    const next = step === undefined ? undefined : shown[(step + shown.length) % shown.length];
    if (at >= 0 && next) {
      event.preventDefault();
      next.click();
      next.focus();
    }
  }
}
