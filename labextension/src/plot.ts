import type { Figure, FigureFormat, Plotter } from './runview/plotter';

type Json = Record<string, unknown>;

/** The part of plotly's interface that is used here. */
interface Plotly {
  react(node: HTMLElement, data: Json[], layout: Json, config: Json): Promise<unknown>;
  purge(node: HTMLElement): void;
  downloadImage(node: HTMLElement, options: Json): Promise<unknown>;
  Plots: { resize(node: HTMLElement): void };
}

const CONFIG: Json = { displaylogo: false, responsive: false, displayModeBar: false };
const HEIGHT = 380;
const IMAGE = { width: 900, height: 560, scale: 2 };

/** Draws with plotly, whose script is fetched when the first chart is looked at. */
export class PlotlyPlotter implements Plotter {
  #plotly: Promise<Plotly> | null = null;
  readonly #drawn = new Map<HTMLElement, { figure: Figure; observer: ResizeObserver }>();
  readonly #themes = new MutationObserver(() => this.#drawAgain());

  constructor() {
    this.#themes.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name'] });
  }

  async draw(node: HTMLElement, figure: Figure): Promise<void> {
    const plotly = await this.#load();
    if (!node.isConnected) {
      return;
    }
    const data = figure.data.map(trace => onGround(node, trace));
    await plotly.react(node, data, themed(node, figure.layout), CONFIG);
    const known = this.#drawn.get(node);
    if (known) {
      known.figure = figure;
      return;
    }
    const observer = new ResizeObserver(() => {
      if (node.offsetWidth > 0) {
        plotly.Plots.resize(node);
      }
    });
    observer.observe(node);
    this.#drawn.set(node, { figure, observer });
  }

  clear(node: HTMLElement): void {
    this.#drawn.get(node)?.observer.disconnect();
    if (this.#drawn.delete(node)) {
      void this.#load().then(plotly => plotly.purge(node));
    }
  }

  async save(node: HTMLElement, format: FigureFormat, name: string): Promise<void> {
    if (this.#drawn.has(node)) {
      const plotly = await this.#load();
      await plotly.downloadImage(node, { format, filename: name, ...IMAGE });
    }
  }

  #drawAgain(): void {
    for (const [node, { figure }] of this.#drawn) {
      if (node.isConnected) {
        void this.draw(node, figure);
      } else {
        this.clear(node);
      }
    }
  }

  #load(): Promise<Plotly> {
    this.#plotly ??= import('plotly.js-cartesian-dist-min').then(module => module.default as Plotly);
    return this.#plotly;
  }
}

/** A heat map whose least colour is the page's own. */
function onGround(node: HTMLElement, trace: Json): Json {
  const scale = trace['colorscale'];
  if (!Array.isArray(scale)) {
    return trace;
  }
  const ground = getComputedStyle(node).getPropertyValue('--nba-bg').trim() || '#fff';
  return { ...trace, colorscale: [[0, ground], ...scale.slice(1)] };
}

/** The layout in the colours that the node has in its page. */
function themed(node: HTMLElement, layout: Json): Json {
  const style = getComputedStyle(node);
  const line = style.getPropertyValue('--nba-line').trim() || '#ddd';
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line };
  const axes = Object.fromEntries(
    Object.entries(layout)
      .filter(([name]) => /^[xy]axis/.test(name))
      .map(([name, value]) => [name, { ...axis, ...(value as Json) }])
  );
  return {
    ...layout,
    ...axes,
    height: layout['height'] ?? HEIGHT,
    autosize: true,
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { color: style.color, family: style.fontFamily, size: 12 },
    hoverlabel: { font: { family: style.fontFamily } }
  };
}
