import { el, on, set, setText, svg } from '../dom';
import { nearest, pixels, type Picture } from './pixels';
import type { Graph, Step } from './types';
import { icon, kindWords, stateWords, took } from './words';

/** Narrower pages have the steps below each other. */
const NARROW_PX = 560;
const WAYS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowDown: [0, 1],
  ArrowUp: [0, -1]
};

/** The graph of a pipeline: a box a step and lines between them. One box has the focus, arrows move it. */
export class GraphPicture {
  readonly node = el('div', { class: 'nba-scroller nba-graphscroller' });
  readonly #sheet = el('div', { class: 'nba-graph', role: 'group', 'aria-label': 'Steps' });
  readonly #lines = svg('svg', { 'aria-hidden': 'true' });
  readonly #sizes = new ResizeObserver(() => this.#place());
  #boxes: Box[] = [];
  #paths: SVGPathElement[] = [];
  #graph: Graph = { places: [], lines: [] };
  #words = '';
  #picture: Picture | null = null;
  #room = -1;
  #chosen = -1;
  #focused = 0;

  constructor(private readonly choose: (at: number) => void) {
    this.#sheet.append(this.#lines);
    this.node.append(this.#sheet);
    on(this.#sheet, 'keydown', event => this.#onKey(event));
    this.#sizes.observe(this.node);
  }

  /** Show the steps; boxes that are there already stay. */
  update(steps: readonly Step[], graph: Graph, now: number): void {
    const words = JSON.stringify(graph);
    if (words !== this.#words) {
      this.#words = words;
      this.#graph = graph;
      this.#make(steps);
    }
    steps.forEach((step, i) => this.#boxes[i]?.update(step, now));
    this.#graph.lines.forEach(([source, target], i) => {
      const [from, to] = [steps[source], steps[target]];
      const isFlowing = from?.status === 'Completed' && to?.status === 'Running';
      const isNear = source === this.#chosen || target === this.#chosen;
      set(this.#paths[i] ?? this.#lines, { class: `${isFlowing ? 'nba-flowing' : ''} ${isNear ? 'nba-near' : ''}` });
    });
  }

  /** Mark the step that is looked at; -1 is none. */
  select(at: number): void {
    this.#chosen = at;
    this.#boxes.forEach((box, i) => set(box.node, { 'aria-pressed': String(i === at) }));
  }

  focus(at: number): void {
    this.#focusOn(at);
  }

  dispose(): void {
    this.#sizes.disconnect();
  }

  #make(steps: readonly Step[]): void {
    this.#boxes = steps.map((_, i) => new Box(() => {
      this.#stop(i);
      this.choose(i);
    }));
    this.#paths = this.#graph.lines.map(() => svg('path'));
    this.#lines.replaceChildren(...this.#paths);
    this.#sheet.replaceChildren(this.#lines, ...this.#boxes.map(box => box.node));
    this.#room = -1;
    this.#stop(0);
    this.select(this.#chosen);
    this.#place();
  }

  /** Lay it out for the room that there is. */
  #place(): void {
    const room = this.node.clientWidth;
    if (room === this.#room) {
      return;
    }
    this.#room = room;
    const isDown = room > 0 && room < NARROW_PX;
    const picture = (this.#picture = pixels(this.#graph, isDown, room || Infinity));
    const { width, height, boxWidth, boxHeight } = picture;
    Object.assign(this.#sheet.style, { width: `${width}px`, height: `${height}px` });
    set(this.#lines, { width, height });
    this.#paths.forEach((path, i) => set(path, { d: picture.lines[i] ?? '' }));
    this.#boxes.forEach((box, i) => {
      const [x, y] = picture.boxes[i] ?? [0, 0];
      Object.assign(box.node.style, { left: `${x}px`, top: `${y}px`, width: `${boxWidth}px`, height: `${boxHeight}px` });
    });
    if (isDown) {
      this.node.scrollLeft = (width - room) / 2;
    }
  }

  /** The one box that the tabulator key stops at. */
  #stop(at: number): void {
    this.#focused = at;
    this.#boxes.forEach((box, i) => set(box.node, { tabindex: i === at ? 0 : -1 }));
  }

  #focusOn(at: number): void {
    this.#stop(at);
    this.#boxes[at]?.node.focus();
  }

  #onKey(event: KeyboardEvent): void {
    const way = WAYS[event.key];
    const ends: Record<string, number> = { Home: 0, End: this.#boxes.length - 1 };
    const next = way && this.#picture ? nearest(this.#picture.boxes, this.#focused, way) : ends[event.key];
    if (way || next !== undefined) {
      event.preventDefault();
      event.stopPropagation();
    }
    if (next !== null && next !== undefined) {
      this.#focusOn(next);
    }
  }
}

/** A step: its name, what it is, how it stands. */
class Box {
  readonly node = el('button', { class: 'nba-step', 'aria-pressed': 'false' });
  readonly #name = el('bdi', { class: 'nba-stepname' });
  readonly #kind = el('span', { class: 'nba-muted' });
  readonly #icon = el('span', { class: 'nba-stepicon', 'aria-hidden': 'true' });
  readonly #state = el('span');

  constructor(choose: () => void) {
    this.node.append(this.#name, this.#kind, el('span', { class: 'nba-stepstate' }, this.#icon, this.#state));
    on(this.node, 'click', choose);
  }

  update(step: Step, now: number): void {
    const words = [stateWords(step), took(step, now)].filter(Boolean).join(' · ');
    set(this.node, { 'data-status': step.status, title: [step.name, words, step.reason].filter(Boolean).join('\n') });
    this.node.classList.toggle('nba-reused', step.reused_from !== undefined);
    setText(this.#name, step.name);
    setText(this.#kind, kindWords(step.kind));
    setText(this.#icon, icon(step));
    setText(this.#state, words);
  }
}
