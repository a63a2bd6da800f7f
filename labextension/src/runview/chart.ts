import { chartData, MARGIN, type ChartData, type Point, type Tick } from './chartdata';
import type { Colors } from './colors';
import type { Component } from './component';
import { arrange, el, on, set, svg } from './dom';
import { score } from './format';
import type { RunState } from './model';
import { Tooltip } from './tooltip';

const HEIGHT = 210;
const START_WIDTH = 640;
const MANY_POINTS = 150;

interface Mark {
  point: Point;
  radius: number;
  readonly node: SVGElement;
}

/** The primary metric by iteration: a point a trial, a step line for the best so far. */
export class Chart implements Component {
  readonly node = el('figure', { class: 'nba-chart' });
  readonly #svg = svg('svg', { role: 'img', height: HEIGHT });
  readonly #grid = svg('g', { class: 'nba-grid' });
  readonly #best = svg('path', { class: 'nba-best' });
  readonly #dots = svg('g', { class: 'nba-dots' });
  readonly #ring = svg('circle', { class: 'nba-ring', r: 8 });
  readonly #marks = new Map<number, Mark>();
  readonly #tooltip = new Tooltip();
  readonly #observer: ResizeObserver | null;
  #width = START_WIDTH;
  #state: RunState | null = null;
  #selected: number | null = null;

  constructor(
    private readonly colors: Colors,
    onSelect: (n: number) => void
  ) {
    this.#svg.append(this.#grid, this.#best, this.#dots, this.#ring);
    this.node.append(this.#svg, this.#tooltip.node);
    on(this.#svg, 'pointermove', event => this.#hover(event.target));
    on(this.#svg, 'pointerleave', () => this.#tooltip.hide());
    on(this.#svg, 'click', event => {
      const mark = this.#markAt(event.target);
      if (mark) {
        onSelect(mark.point.trial.n);
      }
    });
    this.#observer = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(() => this.#fit());
    this.#observer?.observe(this.node);
  }

  dispose(): void {
    this.#observer?.disconnect();
  }

  select(n: number | null): void {
    this.#selected = n;
    this.#drawRing();
  }

  update(state: RunState): void {
    this.#state = state;
    const data = chartData(state, this.#width, HEIGHT);
    set(this.#svg, { width: this.#width, viewBox: `0 0 ${this.#width} ${HEIGHT}`, 'aria-label': label(state) });
    this.#drawGrid(data);
    set(this.#best, { d: data.bestPath });
    this.#drawPoints(data);
    this.#drawRing();
  }

  #fit(): void {
    const width = Math.round(this.node.clientWidth);
    if (width > 0 && width !== this.#width) {
      this.#width = width;
      if (this.#state) {
        this.update(this.#state);
      }
    }
  }

  #drawGrid({ xTicks, yTicks }: ChartData): void {
    const right = this.#width - MARGIN.right;
    const lines = yTicks.map(tick => svg('line', { x1: MARGIN.left, x2: right, y1: tick.at, y2: tick.at }));
    const text = (tick: Tick, x: number, y: number, anchor: string): SVGElement =>
      svg('text', { x, y, 'text-anchor': anchor }, tick.label);
    const bottom = HEIGHT - 6;
    const yLabels = yTicks.map(tick => text(tick, MARGIN.left - 8, tick.at + 4, 'end'));
    const xLabels = xTicks.map(tick => text(tick, tick.at, bottom, 'middle'));
    this.#grid.replaceChildren(...lines, ...yLabels, ...xLabels);
  }

  #drawPoints(data: ChartData): void {
    const radius = data.points.length > MANY_POINTS ? 3 : 4.5;
    const nodes = data.points.map(point => {
      const known = this.#marks.get(point.trial.n);
      if (known?.point.kind === point.kind) {
        this.#move(known, point, radius);
        return known.node;
      }
      const mark = this.#draw(point, radius);
      this.#marks.set(point.trial.n, mark);
      return mark.node;
    });
    arrange(this.#dots, nodes);
  }

  #draw(point: Point, radius: number): Mark {
    const shape = isCross(point) ? svg('path', { d: cross(radius) }) : svg('circle', { r: radius });
    set(shape, { class: `nba-${point.kind}`, 'data-n': point.trial.n, transform: place(point) });
    if (point.kind === 'score') {
      set(shape, { fill: this.colors.of(point.trial.family) });
    }
    return { point, radius, node: shape };
  }

  /** Touch only what differs: most points stay where they are. */
  #move(mark: Mark, point: Point, radius: number): void {
    if (mark.point.x !== point.x || mark.point.y !== point.y) {
      mark.node.setAttribute('transform', place(point));
    }
    if (mark.radius !== radius) {
      set(mark.node, isCross(point) ? { d: cross(radius) } : { r: radius });
    }
    mark.point = point;
    mark.radius = radius;
  }

  #drawRing(): void {
    const mark = this.#selected === null ? undefined : this.#marks.get(this.#selected);
    set(this.#ring, { visibility: mark ? 'visible' : 'hidden' });
    if (mark) {
      set(this.#ring, { transform: place(mark.point) });
    }
  }

  #markAt(target: EventTarget | null): Mark | undefined {
    const n = target instanceof Element ? target.getAttribute('data-n') : null;
    return n === null ? undefined : this.#marks.get(Number(n));
  }

  #hover(target: EventTarget | null): void {
    const mark = this.#markAt(target);
    if (mark && this.#state) {
      this.#tooltip.show(mark.point, this.#width, this.#state.header.metric?.name ?? 'score');
    } else {
      this.#tooltip.hide();
    }
  }
}

function cross(radius: number): string {
  const r = radius - 0.5;
  return `M${-r} ${-r}L${r} ${r}M${r} ${-r}L${-r} ${r}`;
}

/** Without a score: a cross at the foot of the chart. */
function isCross(point: Point): boolean {
  return point.kind === 'failed' || point.kind === 'stopped';
}

function place(point: Point): string {
  return `translate(${point.x} ${point.y})`;
}

function label(state: RunState): string {
  const { header } = state;
  const name = header.metric?.name ?? 'score';
  const best = header.best ? `; best ${score(header.best.score)} at iteration ${header.best.n}` : '';
  return `${name} by iteration, ${state.trials.size} iterations${best}. The table below has the same.`;
}
