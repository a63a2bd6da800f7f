import { Announcer } from './announcer';
import { Chart } from './chart';
import { Colors } from './colors';
import type { Actions, Component } from './component';
import { el, setText, show } from './dom';
import type { RunExtras } from './extras';
import { HeaderBar } from './header';
import { Leaderboard } from './leaderboard';
import { Legend } from './legend';
import { applyFrame, fromFull, type RunState } from './model';
import { Pages } from './pages';
import type { Plotter } from './plotter';
import { Progress } from './progress';
import { Tiles } from './tiles';
import { ServerClock } from './timing';
import type { RunListener, RunSource, Subscription, Transport } from './transport';
import type { Frame, Full, RunError } from './types';

const TICK_MS = 1000;

/** The run view: puts the parts together, keeps the state, follows the run. */
export class RunView implements RunListener {
  readonly node = el('section', { class: 'nbautoml nbautoml-run', 'aria-label': 'AutoML run' });
  private readonly clock = new ServerClock();
  private readonly colors = new Colors();
  private readonly message = el('div', { class: 'nba-message', role: 'status', hidden: '' });
  private readonly header: HeaderBar;
  private readonly progress = new Progress(this.clock);
  private readonly chart: Chart;
  private readonly board: Leaderboard;
  private readonly pages: Pages;
  private readonly source: RunSource;
  private readonly parts: readonly Component[];
  private readonly subscription: Subscription;
  private readonly ticker: number;
  private state: RunState;
  private drawn: RunState | null = null;
  private frameRequest: number | null = null;
  private isAsking = false;
  private isConnected = false;

  constructor(
    full: Full,
    transport: Transport,
    plotter: Plotter | null = null,
    extrasOf: (source: RunSource) => RunExtras = () => ({})
  ) {
    this.state = fromFull(full);
    const { runId, workspace } = this.state;
    this.source = transport.of(runId, workspace);
    this.header = new HeaderBar(this.actions(), text => this.say(text));
    this.chart = new Chart(this.colors, n => this.select(n, true));
    const extras = extrasOf(this.source);
    this.board = new Leaderboard(this.colors, n => this.select(n, false), this.source, extras);
    const legend = new Legend(this.colors, family => this.board.setFilter(family));
    const [tiles, announcer] = [new Tiles(), new Announcer()];
    const models = el('div', {}, this.chart.node, legend.node, this.board.node);
    this.pages = new Pages(models, this.source, plotter, extras);
    this.parts = [this.header, this.progress, tiles, this.chart, legend, this.board, this.pages, announcer];
    this.node.append(this.header.node, this.progress.node, this.message, tiles.node, this.pages.node, announcer.node);
    this.clock.sync(this.state.header.now);
    this.draw();
    this.subscription = transport.watch(runId, workspace, this);
    this.ticker = window.setInterval(() => this.tick(), TICK_MS);
  }

  get runId(): string {
    return this.state.runId;
  }

  /** Show a saved output of the same run, unless something newer is shown. */
  offer(full: Full): void {
    if (full.run_id === this.state.runId && full.seq > this.state.seq) {
      this.take(fromFull(full));
    }
  }

  dispose(): void {
    this.subscription.dispose();
    window.clearInterval(this.ticker);
    if (this.frameRequest !== null) {
      window.cancelAnimationFrame(this.frameRequest);
    }
    this.chart.dispose();
    this.board.dispose();
    this.pages.dispose();
    this.node.remove();
  }

  lastSeq(): number {
    return this.hasPartialRows() ? 0 : this.state.seq;
  }

  onFull(full: Full): void {
    this.hear();
    this.isAsking = false;
    if (full.seq >= this.state.seq) {
      this.take(fromFull(full));
    }
  }

  onFrame(frame: Frame): void {
    this.hear();
    const [next, outcome] = applyFrame(this.state, frame);
    if (outcome === 'applied') {
      this.take(next);
    } else if (outcome === 'gap' && !this.isAsking) {
      this.isAsking = true;
      this.subscription.askAgain();
    }
  }

  onError(error: RunError): void {
    this.isConnected = false;
    this.header.setConnection('lost', [error.message, error.hint].filter(Boolean).join(' '));
  }

  onConnection(isConnected: boolean): void {
    this.isAsking = false;
    if (!isConnected) {
      this.isConnected = false;
      this.header.setConnection('lost');
    }
  }

  /** Only an answer about this run tells that it can be followed and asked. */
  private hear(): void {
    if (!this.isConnected) {
      this.isConnected = true;
      this.header.setConnection('connected');
    }
  }

  private hasPartialRows(): boolean {
    for (const trial of this.state.trials.values()) {
      if (trial.partial) {
        return true;
      }
    }
    return false;
  }

  private take(state: RunState): void {
    this.state = state;
    this.clock.sync(state.header.now);
    // The server sends at most five states a second; this also joins those of one frame.
    this.frameRequest ??= window.requestAnimationFrame(() => {
      this.frameRequest = null;
      this.draw();
    });
  }

  private draw(): void {
    if (this.drawn === this.state) {
      return;
    }
    this.drawn = this.state;
    for (const part of this.parts) {
      part.update(this.state);
    }
  }

  /** Times stand still in a snapshot: what happened since is not known. */
  private tick(): void {
    if (this.isConnected && this.state.header.is_live) {
      this.progress.tick();
    }
  }

  private select(n: number | null, reveal: boolean): void {
    this.chart.select(n);
    this.board.select(n, reveal);
    this.pages.select(n);
  }

  private say(text: string): void {
    setText(this.message, text);
    show(this.message, text !== '');
  }

  private actions(): Actions {
    return {
      select: n => this.select(n, true),
      cancel: () => this.source.request('cancel'),
      pause: () => this.source.request('pause'),
      resume: () => this.source.request('resume'),
      finishNow: () => this.source.request('finish_now'),
      addMinutes: minutes => this.source.request('add_minutes', minutes)
    };
  }
}
