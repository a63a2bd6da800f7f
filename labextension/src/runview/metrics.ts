import type { Component } from './component';
import { arrange, el, fill, labelled, messageOf, offer, on, set, setText, show } from './dom';
import { score, scoreOrDash } from './format';
import type { RunState } from './model';
import { ModelChoice } from './modelchoice';
import type { FigureFormat, ModelCharts, ModelFigure, Plotter } from './plotter';
import type { Trial, TrialDetails } from './types';

const FORMATS: readonly FigureFormat[] = ['png', 'svg'];

/** What the tab fetches of a model. */
export interface MetricsSource {
  charts(n: number): Promise<ModelCharts>;
  details(n: number): Promise<TrialDetails>;
  /** Address of one chart as a page to keep. */
  chartPage(n: number, name: string): string;
}

/** Charts and numbers of one model: the best one, or the one that is chosen. */
export class Metrics implements Component {
  readonly node = el('section', { class: 'nba-metrics' });
  readonly #models = new ModelChoice(n => this.select(n));
  readonly #charts = el('select', { 'aria-label': 'Chart' });
  readonly #saves = el('span', { class: 'nba-saves', role: 'group', 'aria-label': 'Save the chart' });
  readonly #page = el('a', { class: 'nba-button', download: '', title: 'Save the chart as a page that can be moved in' }, 'HTML');
  readonly #help = el('p', { class: 'nba-muted' });
  readonly #message = el('p', { class: 'nba-muted', role: 'status' });
  readonly #canvas = el('div', { class: 'nba-canvas', role: 'img' });
  readonly #numbers = el('dl', { class: 'nba-numbers' });
  #state: RunState | null = null;
  #isOpen = false;
  #shown: { n: number; status: string } | null = null;
  #figures: readonly ModelFigure[] = [];
  #chart = '';

  constructor(
    private readonly source: MetricsSource,
    private readonly plotter: Plotter | null
  ) {
    const what = labelled('Chart', this.#charts);
    this.node.append(el('div', { class: 'nba-tools' }, this.#models.node, what, this.#saves));
    this.node.append(this.#message, this.#canvas, this.#help, this.#numbers);
    for (const format of FORMATS) {
      const button = el('button', { title: `Save the chart as ${format.toUpperCase()}` });
      setText(button, format.toUpperCase());
      on(button, 'click', () => void this.#save(format));
      this.#saves.append(button);
    }
    this.#saves.append(this.#page);
    on(this.#charts, 'change', () => this.#turnTo(this.#charts.value));
  }

  update(state: RunState): void {
    this.#state = state;
    if (this.#isOpen) {
      this.#models.update(state);
      void this.#load();
    }
  }

  /** Nothing is fetched or drawn while nobody looks. */
  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    if (isOpen && this.#state) {
      this.update(this.#state);
      this.#redraw();
    }
  }

  /** Show a model's charts, as after a click in the leaderboard; null is the best one again. */
  select(n: number | null): void {
    this.#models.chosen = n;
    if (this.#isOpen && this.#state) {
      this.update(this.#state);
    }
  }

  dispose(): void {
    this.plotter?.clear(this.#canvas);
  }

  async #load(): Promise<void> {
    const trial = this.#trial();
    if (!trial) {
      this.#clear('No model is finished yet.');
      return;
    }
    if (this.#shown?.n === trial.n && this.#shown.status === trial.status) {
      return;
    }
    const asked = { n: trial.n, status: trial.status };
    this.#shown = asked;
    setText(this.#message, 'Loading…');
    try {
      const [charts, details] = await Promise.all([this.source.charts(trial.n), this.source.details(trial.n)]);
      if (this.#shown === asked) {
        this.#take(charts, details);
      }
    } catch (error) {
      if (this.#shown === asked) {
        this.#shown = null;
        this.#clear(messageOf(error));
      }
    }
  }

  #trial(): Trial | null {
    return this.#models.trial(this.#state);
  }

  #take({ figures, confidence }: ModelCharts, details: TrialDetails): void {
    this.#figures = figures;
    if (!figures.some(figure => figure.name === this.#chart)) {
      this.#chart = figures[0]?.name ?? '';
    }
    fill(this.#charts, figures.map(({ name, title }) => [name, title]), this.#chart);
    setText(this.#message, figures.length ? '' : 'This model has no charts.');
    this.#drawNumbers(details.metrics, confidence);
    this.#redraw();
  }

  #turnTo(name: string): void {
    this.#chart = name;
    this.#redraw();
  }

  #redraw(): void {
    const figure = this.#figures.find(({ name }) => name === this.#chart);
    show(this.#canvas, figure !== undefined && this.plotter !== null);
    show(this.#saves, figure !== undefined && this.plotter !== null);
    setText(this.#help, figure?.help ?? '');
    if (figure && this.plotter) {
      set(this.#canvas, { 'aria-label': `${figure.title}. ${figure.help}` });
      offer(this.#page, this.source.chartPage(this.#trial()?.n ?? 0, figure.name));
      this.plotter.draw(this.#canvas, figure.figure).catch(error => {
        setText(this.#message, `The chart cannot be drawn: ${messageOf(error)}`);
      });
    }
  }

  #drawNumbers(metrics: TrialDetails['metrics'], confidence: ModelCharts['confidence']): void {
    const pairs = Object.entries(metrics).map(([name, value]) => {
      const ends = confidence[name];
      const text = scoreOrDash(value);
      const title = 'With 95 % confidence, by resampling the rows';
      const range = ends ? el('span', { class: 'nba-muted', title }, ` ${score(ends[0])} to ${score(ends[1])}`) : '';
      return el('div', {}, el('dt', {}, name), el('dd', {}, text, range));
    });
    arrange(this.#numbers, pairs);
  }

  #clear(message: string): void {
    this.#figures = [];
    this.#shown = null;
    this.#numbers.replaceChildren();
    this.#charts.replaceChildren();
    setText(this.#message, message);
    this.#redraw();
  }

  async #save(format: FigureFormat): Promise<void> {
    try {
      const n = this.#trial()?.n ?? 0;
      await this.plotter?.save(this.#canvas, format, `${this.#state?.runId ?? 'run'}_${n}_${this.#chart}`);
    } catch (error) {
      setText(this.#message, messageOf(error));
    }
  }
}
