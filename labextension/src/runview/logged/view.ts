import { actionsOf } from '../actions';
import { Announcer } from '../announcer';
import type { Component } from '../component';
import { el, say, setText, show } from '../dom';
import { Following, type Shown } from '../following';
import { HeaderBar, type Connection } from '../header';
import { Logs } from '../logs';
import type { RunState } from '../model';
import { Progress } from '../progress';
import { Tabs, type Tab } from '../tabs';
import { ServerClock } from '../timing';
import type { RunSource, Transport } from '../transport';
import type { Full } from '../types';
import { Feed } from './feed';
import type { ChildRuns, Logged } from './types';
import { Values } from './values';

/** A part that shows what was logged. */
export interface LoggedPart {
  readonly node: Element;
  update(logged: Logged): void;
  setOpen?(isOpen: boolean): void;
  dispose?(): void;
}

/** A tab that comes before the others: it draws the run's states. */
export interface LeadPart extends Component {
  readonly label: string;
  tick(): void;
  setConnected(isConnected: boolean): void;
  dispose(): void;
}

/** Parts that a home brings: what stands below the values, and tabs of their own. */
export interface LoggedParts {
  readonly below: readonly LoggedPart[];
  readonly tabs: readonly (LoggedPart & { readonly label: string; count(logged: Logged): number })[];
  /** The runs below this one: `now` is the time on the server's clock. */
  children?(workspace: string, now: () => number, onCount: (n: number) => void): ChildPart;
  lead?(workspace: string, now: () => number): LeadPart;
}

/** A list that has to be asked for again as time goes on. */
export interface ChildPart {
  readonly node: Element;
  take(children: ChildRuns): void;
  tick(): void;
  setOpen(isOpen: boolean): void;
  setConnected(isConnected: boolean): void;
  dispose(): void;
}

const METRICS = 'Metrics';

/** The view of a script's run, of one that is logged by hand, or of a pipeline's. */
export class LoggedView implements Shown {
  readonly node = el('section', { class: 'nbautoml nbautoml-run', 'aria-label': 'Run' });
  readonly #clock = new ServerClock();
  readonly #message = el('div', { class: 'nba-message', role: 'status', hidden: '' });
  readonly #reason = el('pre', { class: 'nba-reason', tabindex: 0, hidden: '', 'aria-label': 'Why it failed' });
  readonly #following: Following;
  readonly #header: HeaderBar;
  readonly #progress = new Progress(this.#clock);
  readonly #values = new Values();
  readonly #logs: Logs;
  readonly #parts: LoggedParts;
  readonly #tabs: Tabs;
  readonly #feed: Feed<Logged>;
  readonly #children?: ChildPart;
  readonly #lead?: LeadPart;
  /** The place of the tab that is there when there are children. */
  readonly #childTab: number;
  readonly #drawn: readonly Component[];

  constructor(full: Full, transport: Transport, partsOf: (source: RunSource) => LoggedParts) {
    this.#following = new Following(full, transport, this.#clock, this);
    const source = transport.of(this.#following.runId, this.#following.workspace);
    this.#parts = partsOf(source);
    this.#header = new HeaderBar(actionsOf(source, () => undefined), text => this.#say(text));
    this.#logs = new Logs(after => source.log(after), full.logged?.lines ?? []);
    this.#children = this.#parts.children?.(this.#following.workspace, () => this.#clock.now(), n => this.#countChildren(n));
    this.#lead = this.#parts.lead?.(this.#following.workspace, () => this.#clock.now());
    this.#childTab = this.#lead ? 2 : 1;
    this.#tabs = new Tabs(this.#pages());
    this.#countChildren(0);
    const announcer = new Announcer();
    this.#drawn = [this.#header, this.#progress, ...(this.#lead ? [this.#lead] : []), this.#logs, announcer];
    this.node.append(this.#header.node, this.#progress.node, this.#message, this.#reason, this.#tabs.node, announcer.node);
    this.#feed = new Feed(() => source.logged(), logged => this.#take(logged), text => this.#say(text));
    this.#following.start();
    if (full.logged) {
      this.#take(full.logged);
    }
  }

  get runId(): string {
    return this.#following.runId;
  }

  /** Show a saved output of the same run, unless something newer is shown. */
  offer(full: Full): void {
    if (this.#following.offer(full) && full.logged) {
      this.#take(full.logged);
    }
  }

  dispose(): void {
    this.#following.dispose();
    this.#feed.dispose();
    this.#children?.dispose();
    this.#lead?.dispose();
    this.#logs.dispose();
    for (const part of [...this.#parts.below, ...this.#parts.tabs]) {
      part.dispose?.();
    }
    this.node.remove();
  }

  draw(state: RunState): void {
    for (const part of this.#drawn) {
      part.update(state);
    }
    const { reason } = state.header;
    setText(this.#reason, reason);
    show(this.#reason, reason.includes('\n'));
    this.#feed.want(state.seq);
    this.#children?.tick();
  }

  tick(): void {
    this.#progress.tick();
    this.#children?.tick();
    this.#lead?.tick();
  }

  setConnection(connection: Connection, problem = ''): void {
    this.#header.setConnection(connection, problem);
    this.#feed.setConnected(connection === 'connected');
    this.#children?.setConnected(connection === 'connected');
    this.#lead?.setConnected(connection === 'connected');
  }

  #pages(): Tab[] {
    const { below, tabs } = this.#parts;
    const metrics = el('div', {}, this.#values.node, ...below.map(part => part.node));
    return [
      ...(this.#lead ? [{ label: this.#lead.label, panel: this.#lead.node }] : []),
      { label: METRICS, panel: metrics, setOpen: isOpen => below.forEach(part => part.setOpen?.(isOpen)) },
      { label: 'Child runs', panel: this.#children?.node ?? el('div'), setOpen: isOpen => this.#children?.setOpen(isOpen) },
      ...tabs.map(part => ({ label: part.label, panel: part.node, setOpen: (isOpen: boolean) => part.setOpen?.(isOpen) })),
      { label: 'Logs', panel: this.#logs.node, setOpen: isOpen => this.#logs.setOpen(isOpen) }
    ];
  }

  #take(logged: Logged): void {
    this.#values.update(logged);
    for (const part of this.#parts.below) {
      part.update(logged);
    }
    this.#parts.tabs.forEach((part, i) => {
      part.update(logged);
      this.#count(this.#childTab + 1 + i, part.label, part.count(logged));
    });
    if (this.#lead) {
      this.#tabs.setShown(1, logged.values.length > 0); // few pipelines log values of their own
    }
    if (logged.children) {
      this.#children?.take(logged.children);
    }
  }

  #countChildren(n: number): void {
    this.#count(this.#childTab, 'Child runs', n);
    this.#tabs.setShown(this.#childTab, n > 0);
  }

  #count(i: number, label: string, n: number): void {
    this.#tabs.setLabel(i, n ? `${label} (${n})` : label);
  }

  #say(text: string): void {
    say(this.#message, text);
  }
}
