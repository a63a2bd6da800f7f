import { actionsOf } from './actions';
import { Announcer } from './announcer';
import { Chart } from './chart';
import { Colors } from './colors';
import type { Component } from './component';
import { el, say } from './dom';
import type { RunExtras } from './extras';
import { Following, type Shown } from './following';
import { HeaderBar, type Connection } from './header';
import { Leaderboard } from './leaderboard';
import { Legend } from './legend';
import type { RunState } from './model';
import { Pages } from './pages';
import type { Plotter } from './plotter';
import { Progress } from './progress';
import { Tiles } from './tiles';
import { ServerClock } from './timing';
import type { RunSource, Transport } from './transport';
import type { Full } from './types';

/** The view of an AutoML run: puts the parts together, and has the run followed. */
export class RunView implements Shown {
  readonly node = el('section', { class: 'nbautoml nbautoml-run', 'aria-label': 'AutoML run' });
  readonly #clock = new ServerClock();
  readonly #colors = new Colors();
  readonly #message = el('div', { class: 'nba-message', role: 'status', hidden: '' });
  readonly #following: Following;
  readonly #header: HeaderBar;
  readonly #progress = new Progress(this.#clock);
  readonly #chart: Chart;
  readonly #board: Leaderboard;
  readonly #pages: Pages;
  readonly #parts: readonly Component[];

  constructor(
    full: Full,
    transport: Transport,
    plotter: Plotter | null = null,
    extrasOf: (source: RunSource) => RunExtras = () => ({})
  ) {
    this.#following = new Following(full, transport, this.#clock, this);
    const source = transport.of(this.#following.runId, this.#following.workspace);
    const actions = actionsOf(source, n => this.#select(n, true));
    this.#header = new HeaderBar(actions, text => this.#say(text));
    this.#chart = new Chart(this.#colors, n => this.#select(n, true));
    const extras = extrasOf(source);
    this.#board = new Leaderboard(this.#colors, n => this.#select(n, false), source, extras);
    const legend = new Legend(this.#colors, family => this.#board.setFilter(family));
    const [tiles, announcer] = [new Tiles(), new Announcer()];
    const models = el('div', {}, this.#chart.node, legend.node, this.#board.node);
    this.#pages = new Pages(models, source, plotter, extras);
    this.#parts = [this.#header, this.#progress, tiles, this.#chart, legend, this.#board, this.#pages, announcer];
    this.node.append(this.#header.node, this.#progress.node, this.#message, tiles.node, this.#pages.node, announcer.node);
    this.#following.start();
  }

  get runId(): string {
    return this.#following.runId;
  }

  /** Show a saved output of the same run, unless something newer is shown. */
  offer(full: Full): void {
    this.#following.offer(full);
  }

  dispose(): void {
    this.#following.dispose();
    this.#chart.dispose();
    this.#board.dispose();
    this.#pages.dispose();
    this.node.remove();
  }

  draw(state: RunState): void {
    for (const part of this.#parts) {
      part.update(state);
    }
  }

  tick(): void {
    this.#progress.tick();
  }

  setConnection(connection: Connection, problem = ''): void {
    this.#header.setConnection(connection, problem);
  }

  #select(n: number | null, reveal: boolean): void {
    this.#chart.select(n);
    this.#board.select(n, reveal);
    this.#pages.select(n);
  }

  #say(text: string): void {
    say(this.#message, text);
  }
}
