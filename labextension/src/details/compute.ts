import { insertCode } from '../panel/actions';
import { computeCode } from '../panel/code';
import type { Doings } from '../panel/item';
import { computeActions, computeFacts } from '../panel/sections/compute';
import { el, fill, on, setText } from '../runview/dom';
import { bytes } from '../runview/format';
import { Tabs } from '../runview/tabs';
import { ActionBar } from './actionbar';
import { Head } from './head';
import { Opener } from './opener';
import { note, own, table } from './table';
import type { ComputeDetails } from './types';

const READ_MS = 3000;
const COLUMNS = [
  { label: 'Node' },
  { label: 'State' },
  { label: 'Cores', isNumber: true },
  { label: 'Memory', isNumber: true },
  { label: 'GPUs', isNumber: true }
];

/** A compute target in the main area: its nodes and its log, read again while it can be seen. */
export class ComputeView {
  readonly node = el('article', { class: 'nbautoml nbautoml-details', 'aria-label': 'Compute' });
  readonly #head = new Head('Compute', () => undefined);
  readonly #bar: ActionBar;
  readonly #opener: Opener;
  readonly #nodes = el('div');
  readonly #log = el('pre', { class: 'nba-log', tabindex: 0, 'aria-label': 'Log' });
  readonly #writer = el('select', { 'aria-label': 'Log of' });
  readonly #tabs: Tabs;
  readonly #timer: number;
  #hasLog = false;
  #isLogOpen = false;
  #isReading = false;

  constructor(
    private readonly name: string,
    private readonly doings: Doings
  ) {
    this.#bar = new ActionBar(doings, () => void this.show());
    this.#opener = new Opener(doings);
    this.#head.setVersions([], '');
    const logs = el('div', {}, el('label', { class: 'nba-muted' }, 'Log of ', this.#writer), this.#log);
    this.#tabs = new Tabs([
      { label: 'Nodes', panel: this.#nodes },
      { label: 'Log', panel: logs, setOpen: isOpen => this.#openLog(isOpen) }
    ]);
    on(this.#writer, 'change', () => void this.#showLog());
    this.node.append(this.#head.node, this.#bar.node, this.#opener.node, this.#tabs.node);
    this.#timer = window.setInterval(() => void this.#again(), READ_MS);
  }

  /** Read the target and show it. */
  async show(): Promise<void> {
    const isRead = await this.#opener.attempt(async () => this.#draw(await this.doings.things.compute(this.name)));
    if (!isRead) {
      this.#bar.update([]); // nothing can be done with what is not there
    }
  }

  dispose(): void {
    window.clearInterval(this.#timer);
    this.#bar.dispose();
    this.node.remove();
  }

  async #again(): Promise<void> {
    if (this.#isReading || document.hidden || !this.node.offsetParent) {
      return;
    }
    this.#isReading = true;
    await this.show();
    await this.#showLog();
    this.#isReading = false;
  }

  #draw(compute: ComputeDetails): void {
    this.#hasLog = compute.is_started !== null;
    this.#head.update(compute.name, computeFacts(compute), compute.problem, {});
    this.#bar.update([insertCode(computeCode(this.doings.workspace, compute.name)), ...computeActions(compute)]);
    const rows = compute.list_nodes.map(one => [
      own(one.id),
      one.state,
      String(one.cores),
      bytes(one.memory_bytes),
      one.gpus ? String(one.gpus) : ''
    ]);
    this.#nodes.replaceChildren(rows.length ? table('Nodes', COLUMNS, rows) : note('No nodes now; they start when there is work.'));
    this.#tabs.setLabel(0, `Nodes (${rows.length})`);
  }

  #openLog(isOpen: boolean): void {
    this.#isLogOpen = isOpen;
    void this.#showLog();
  }

  /** The log is read while its tab is open, and stays at its end if it was there. */
  async #showLog(): Promise<void> {
    if (!this.#isLogOpen) {
      return;
    }
    if (!this.#hasLog) {
      setText(this.#log, 'It has no process of its own, and so no log.');
      return;
    }
    await this.#opener.attempt(async () => {
      const writer = this.#writer.value;
      const { text, nodes } = await this.doings.things.computeLog(this.name, writer);
      const isAtEnd = this.#log.scrollTop + this.#log.clientHeight >= this.#log.scrollHeight - 4;
      setText(this.#log, text || 'Nothing is written yet.');
      fill(this.#writer, [['', 'the cluster'], ...nodes.map(node => [node, node] as const)], writer);
      if (isAtEnd) {
        this.#log.scrollTop = this.#log.scrollHeight;
      }
    });
  }
}
