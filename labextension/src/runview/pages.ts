import { CodeTab } from './code';
import { Columns } from './columns';
import type { Component } from './component';
import { el } from './dom';
import type { ExtraTab, RunExtras } from './extras';
import { Guardrails } from './guardrails';
import { Logs } from './logs';
import { Metrics } from './metrics';
import type { RunState } from './model';
import type { Plotter } from './plotter';
import { Tabs } from './tabs';
import type { RunSource } from './transport';

const DATA_TAB = 2;

/** The tabs below the figures; each fetches what it shows when it is looked at. */
export class Pages implements Component {
  readonly node: Element;
  readonly #tabs: Tabs;
  readonly #guardrails = new Guardrails();
  readonly #columns: Columns;
  readonly #metrics: Metrics;
  readonly #explanation: ExtraTab | null;
  readonly #logs: Logs;
  readonly #code: CodeTab;

  constructor(models: Element, source: RunSource, plotter: Plotter | null, extras: RunExtras) {
    this.#columns = new Columns(() => source.columns());
    this.#metrics = new Metrics(source, plotter);
    this.#explanation = extras.explanation?.(plotter) ?? null;
    this.#logs = new Logs(after => source.log(after));
    this.#code = new CodeTab(source);
    const explanation = this.#explanation;
    const explained = explanation && {
      label: 'Explanation',
      panel: explanation.node,
      setOpen: (isOpen: boolean) => explanation.setOpen(isOpen)
    };
    const data = el('div', {}, this.#guardrails.node, this.#columns.node);
    this.#tabs = new Tabs([
      { label: 'Models', panel: models },
      { label: 'Metrics', panel: this.#metrics.node, setOpen: isOpen => this.#metrics.setOpen(isOpen) },
      { label: 'Data', panel: data, setOpen: isOpen => this.#columns.setOpen(isOpen) },
      ...(explained ? [explained] : []),
      { label: 'Logs', panel: this.#logs.node, setOpen: isOpen => this.#logs.setOpen(isOpen) },
      { label: 'Code', panel: this.#code.node, setOpen: isOpen => this.#code.setOpen(isOpen) }
    ]);
    this.node = this.#tabs.node;
  }

  update(state: RunState): void {
    const parts = [this.#guardrails, this.#columns, this.#metrics, this.#explanation, this.#logs, this.#code];
    for (const part of parts) {
      part?.update(state);
    }
    const { alerts } = state.header;
    this.#tabs.setLabel(DATA_TAB, alerts ? `Data (${alerts})` : 'Data');
  }

  /** Show the model that is chosen in the leaderboard in the other tabs, too. */
  select(n: number | null): void {
    this.#metrics.select(n);
    this.#explanation?.select(n);
    this.#code.select(n);
  }

  dispose(): void {
    this.#metrics.dispose();
    this.#explanation?.dispose();
    this.#logs.dispose();
  }
}
