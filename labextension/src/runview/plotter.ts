/** Draws plotly figures; the homes of the view bring it, for the script is large. */

/** The two parts of a plotly figure, as JSON. */
export interface Figure {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
  /** The figure drawn, where no plotly is at hand. */
  svg?: string;
}

/** One chart of a model. */
export interface ModelFigure {
  name: string;
  title: string;
  help: string;
  figure: Figure;
}

export interface ModelCharts {
  n: number;
  figures: ModelFigure[];
  /** Lower and upper end of the 95 % interval, by metric. */
  confidence: Record<string, [number, number]>;
}

/** How a drawn figure is written to a file. */
export type FigureFormat = 'png' | 'svg';

export interface Plotter {
  /** Draw into a node, in the colours that it has there; again when its size changes. */
  draw(node: HTMLElement, figure: Figure): Promise<void>;
  /** Give back what a drawing holds. */
  clear(node: HTMLElement): void;
  /** Let the reader save what is drawn in a node. */
  save(node: HTMLElement, format: FigureFormat, name: string): Promise<void>;
}
