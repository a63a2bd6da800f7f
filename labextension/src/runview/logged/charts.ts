import { arrange, el, messageOf, on, searchBox, setText, show, statusLine } from '../dom';
import type { Figure, Plotter } from '../plotter';
import type { Logged, Series } from './types';
import type { LoggedPart } from './view';

/** Charts that are drawn at once; a filter finds the others. */
const MOST_CHARTS = 24;
const HEIGHT = 250;
const COLOR = '#4e79a7';

interface Wanted {
  name: string;
  figure: Figure;
  height: number;
}

interface Drawn {
  readonly node: HTMLElement;
  readonly canvas: HTMLElement;
  words: string;
}

/** A line chart for each series, and the charts whose numbers were logged. */
export class Charts implements LoggedPart {
  readonly node = el('section');
  readonly #filter = searchBox('Filter charts');
  readonly #note = statusLine();
  readonly #grid = el('div', { class: 'nba-charts' });
  readonly #drawn = new Map<string, Drawn>();
  #wanted: Wanted[] = [];
  #isOpen = false;

  constructor(private readonly plotter: Plotter) {
    this.node.append(el('div', { class: 'nba-tools' }, this.#filter), this.#grid, this.#note);
    show(this.node, false);
    on(this.#filter, 'input', () => this.#redraw());
  }

  update({ series, charts }: Logged): void {
    const lines = series.map(one => ({ name: one.name, figure: lineOf(one), height: HEIGHT }));
    const others = charts.map(({ title, figure }) => ({ name: title, figure, height: HEIGHT + 80 }));
    this.#wanted = [...lines, ...others];
    this.#redraw();
  }

  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    this.#redraw();
  }

  dispose(): void {
    for (const { canvas } of this.#drawn.values()) {
      this.plotter.clear(canvas);
    }
  }

  #redraw(): void {
    show(this.node, this.#wanted.length > 0);
    show(this.#filter, this.#wanted.length > MOST_CHARTS / 2);
    const word = this.#filter.value.toLowerCase();
    const fits = this.#wanted.filter(({ name }) => name.toLowerCase().includes(word));
    const shown = fits.slice(0, MOST_CHARTS);
    show(this.#note, fits.length > shown.length);
    setText(this.#note, `and ${fits.length - shown.length} more: filter them by name`);
    if (this.#isOpen) {
      arrange(this.#grid, shown.map(one => this.#place(one).node));
      shown.forEach(one => void this.#draw(one));
    }
  }

  #place({ name, height }: Wanted): Drawn {
    const known = this.#drawn.get(name);
    if (known) {
      return known;
    }
    const canvas = el('div', { class: 'nba-canvas', role: 'img', 'aria-label': name });
    canvas.style.minHeight = `${height}px`;
    const made = { node: el('figure', {}, el('figcaption', {}, name), canvas), canvas, words: '' };
    this.#drawn.set(name, made);
    return made;
  }

  async #draw(one: Wanted): Promise<void> {
    const drawn = this.#place(one);
    const words = JSON.stringify(one.figure.data);
    if (drawn.words === words) {
      return;
    }
    drawn.words = words;
    if (!drawn.canvas.isConnected) {
      await new Promise(resolve => window.requestAnimationFrame(resolve)); // until the view is in the page
    }
    try {
      const layout = { margin: { l: 52, r: 12, t: 8, b: 34 }, ...one.figure.layout, height: one.height };
      await this.plotter.draw(drawn.canvas, { ...one.figure, layout });
    } catch (error) {
      setText(drawn.canvas, messageOf(error));
    }
  }
}

function lineOf({ x, y }: Series): Figure {
  const mode = x.length > 60 ? 'lines' : 'lines+markers';
  return { data: [{ type: 'scatter', mode, x, y, line: { color: COLOR }, hovertemplate: '%{x}: %{y}<extra></extra>' }], layout: { xaxis: {}, yaxis: {} } };
}
