import { el, fill, labelled, messageOf, on, set, setText, show, statusLine } from '../dom';
import type { Figure, Plotter } from '../plotter';
import type { ExplanationPart } from './part';
import type { Dependence, Explanation } from './types';
import { cellText } from './words';

const COLORS = ['#4e79a7', '#f28e2b', '#59a14f', '#e15759', '#76b7b2', '#b07aa1', '#edc948', '#9c755f'];
const HELP =
  'The mean answer when all rows have this value; thin lines are single rows. Where columns go together, ' +
  'some of these rows may be such as never occur.';

/** How the answers change along one column. */
export class DependenceChart implements ExplanationPart {
  readonly node = el('div');
  readonly #columns = el('select', { 'aria-label': 'Column' });
  readonly #canvas = el('div', { class: 'nba-canvas', role: 'img' });
  readonly #message = statusLine();
  readonly #help = el('p', { class: 'nba-muted' }, HELP);
  #explanation: Explanation | null = null;
  #isOpen = false;

  constructor(private readonly plotter: Plotter) {
    const pick = labelled('Column', this.#columns);
    this.node.append(el('div', { class: 'nba-tools' }, pick), this.#message, this.#canvas, this.#help);
    on(this.#columns, 'change', () => this.#draw());
  }

  show(explanation: Explanation): void {
    this.#explanation = explanation;
    fill(this.#columns, explanation.dependence.map(({ name }) => [name, name]));
    this.#draw();
  }

  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    if (isOpen) {
      this.#draw();
    }
  }

  dispose(): void {
    this.plotter.clear(this.#canvas);
  }

  #draw(): void {
    const found = this.#explanation?.dependence ?? [];
    const one = found.find(({ name }) => name === this.#columns.value) ?? found[0];
    setText(this.#message, one ? '' : 'Time ended before a column could be followed.');
    show(this.#message, one === undefined);
    show(this.#help, one !== undefined);
    show(this.#canvas, one !== undefined);
    if (one && this.#isOpen) {
      set(this.#canvas, { 'aria-label': `Answers along ${one.name}` });
      this.plotter.draw(this.#canvas, dependenceFigure(one)).catch(error => {
        setText(this.#message, `The chart cannot be drawn: ${messageOf(error)}`);
        show(this.#message, true);
      });
    }
  }
}

/** The mean of each output, and curves of single rows, as a plotly figure. */
export function dependenceFigure(one: Dependence): Figure {
  const x = one.values.map(value => (one.ordered && typeof value === 'number' ? value : cellText(value)));
  const mode = one.ordered ? 'lines' : 'markers';
  const curves = one.curves.map(y => ({
    type: 'scatter',
    mode,
    x,
    y,
    showlegend: false,
    hoverinfo: 'skip',
    line: { color: '#8a8a8a', width: 0.6 },
    marker: { color: '#8a8a8a', size: 4 },
    opacity: 0.4
  }));
  const means = one.outputs.map(({ name, mean }, i) => ({
    type: 'scatter',
    mode: one.ordered ? 'lines+markers' : 'markers',
    name,
    x,
    y: mean,
    line: { color: COLORS[i % COLORS.length], width: 2.5 },
    marker: { color: COLORS[i % COLORS.length], size: one.ordered ? 5 : 11 }
  }));
  const isNumber = one.values.every(value => typeof value === 'number');
  const title = one.outputs.length === 1 ? (one.outputs[0]?.name ?? '') : 'probability';
  return {
    data: [...curves, ...means],
    layout: {
      xaxis: { title: { text: one.name }, automargin: true, ...(isNumber ? {} : { type: 'category' }) },
      yaxis: { title: { text: title }, automargin: true },
      showlegend: one.outputs.length > 1,
      hovermode: 'closest',
      margin: { l: 50, r: 20, t: 20, b: 45 }
    }
  };
}
