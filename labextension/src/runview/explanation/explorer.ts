import { arrange, el, fill, messageOf, on, setText, show, statusLine } from '../dom';
import { count, score } from '../format';
import type { Figure, Plotter } from '../plotter';
import { errorOf } from './rowview';
import type { ExplanationPart } from './part';
import type { Cohort, Explanation, Label } from './types';
import { cellText, short } from './words';

const [TRUTH, SAID, ERROR, WORST] = ['truth', 'said', 'error', 'worst'] as const;
const MOST_WORST = 10;
const COLORS = ['#4e79a7', '#f28e2b', '#59a14f', '#e15759', '#76b7b2', '#b07aa1', '#edc948', '#9c755f'];

/** The explained rows by two of their columns, and how well the model does on parts of the data. */
export class DataExplorer implements ExplanationPart {
  readonly node = el('div');
  readonly #across = el('select', { 'aria-label': 'Across' });
  readonly #up = el('select', { 'aria-label': 'Up' });
  readonly #colors = el('select', { 'aria-label': 'Colour' });
  readonly #canvas = el('div', { class: 'nba-canvas', role: 'img', 'aria-label': 'The explained rows' });
  readonly #message = statusLine();
  readonly #by = el('select', { 'aria-label': 'Cohorts by' });
  readonly #body = el('tbody');
  readonly #heads = [el('th', { scope: 'col', class: 'nba-n' }), el('th', { scope: 'col', class: 'nba-n' })];
  readonly #cohorts = el('section');
  #explanation: Explanation | null = null;
  #isOpen = false;

  constructor(private readonly plotter: Plotter) {
    const named = (name: string, select: HTMLElement): HTMLElement =>
      el('label', {}, el('span', { class: 'nba-muted' }, `${name} `), select);
    this.node.append(
      el('div', { class: 'nba-tools' }, named('Across', this.#across), named('Up', this.#up), named('Colour', this.#colors)),
      this.#message,
      this.#canvas,
      this.#cohorts
    );
    const first = ['Rows with', 'Rows'].map((name, i) => el('th', { scope: 'col', class: i ? 'nba-n' : '' }, name));
    const table = el('table', { class: 'nba-table', 'aria-label': 'Cohorts' });
    table.append(el('thead', {}, el('tr', {}, ...first, ...this.#heads)), this.#body);
    this.#cohorts.append(el('h4', {}, 'How well the model does on parts of the rows'));
    this.#cohorts.append(el('div', { class: 'nba-tools' }, named('By', this.#by)), table);
    [this.#across, this.#up, this.#colors].forEach(select => on(select, 'change', () => this.#draw()));
    on(this.#by, 'change', () => this.#drawCohorts());
  }

  show(explanation: Explanation): void {
    this.#explanation = explanation;
    const names = explanation.sample.columns.map(({ name }, i) => [`#${i}`, name] as const);
    const own = [[TRUTH, 'what is true'], [SAID, 'what the model says'], [ERROR, 'how far it is off']] as const;
    const up = this.#up.options.length ? this.#up.value : TRUTH;
    fill(this.#across, [...names, ...own]);
    fill(this.#up, [...names, ...own], up);
    fill(this.#colors, [...own, ...names]);
    fill(this.#by, [...columnsOf(explanation).map((name, i) => [`#${i}`, name] as const), [WORST, 'the worst of all columns']]);
    setText(this.#heads[0] ?? this.#body, explanation.metric.name);
    setText(this.#heads[1] ?? this.#body, explanation.classes.length ? 'wrong' : 'mean absolute error');
    this.#draw();
    this.#drawCohorts();
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
    if (!this.#explanation || !this.#isOpen) {
      return;
    }
    const names = [this.#across, this.#up, this.#colors].map(select => select.value);
    const [x, y, color] = names.map(name => values(this.#explanation as Explanation, name));
    const titles = [this.#across, this.#up].map(select => select.selectedOptions[0]?.textContent ?? '');
    const figure = explorerFigure({ x: x ?? [], y: y ?? [], color: color ?? [], titles });
    this.plotter.draw(this.#canvas, figure).catch(error => {
      setText(this.#message, `The chart cannot be drawn: ${messageOf(error)}`);
      show(this.#message, true);
    });
  }

  #drawCohorts(): void {
    const { cohorts = [], classes = [] } = this.#explanation ?? {};
    show(this.#cohorts, cohorts.length > 0);
    const isWorst = this.#by.value === WORST;
    const chosen = this.#explanation ? columnsOf(this.#explanation)[Number(this.#by.value.slice(1))] : '';
    const some = isWorst ? worst(cohorts) : cohorts.filter(({ column }) => column === chosen);
    const rows = some.map(({ column, part, rows: n, score: value, error }) => {
      const name = el('td', {}, isWorst ? `${column}: ${part}` : part);
      const wrong = error === null ? '–' : classes.length ? `${(100 * error).toFixed(1)} %` : short(error);
      const cells = [count(n), value === null ? '–' : score(value), wrong];
      return el('tr', {}, name, ...cells.map(text => el('td', { class: 'nba-n' }, text)));
    });
    arrange(this.#body, rows);
  }
}

function columnsOf({ cohorts }: Explanation): string[] {
  return [...new Set(cohorts.map(({ column }) => column))];
}

/** The parts of the rows on which the model is off the most. */
function worst(cohorts: readonly Cohort[]): Cohort[] {
  return [...cohorts].sort((a, b) => (b.error ?? 0) - (a.error ?? 0)).slice(0, MOST_WORST);
}

function values({ sample, classes }: Explanation, name: string): Label[] {
  if (name === TRUTH) {
    return sample.truth;
  }
  if (name === SAID) {
    return sample.said;
  }
  if (name === ERROR) {
    return sample.truth.map((_, i) => (classes.length ? (errorOf(sample, i) >= 1 ? 'wrong' : 'right') : errorOf(sample, i)));
  }
  const column = Number(name.slice(1));
  return sample.cells.map(cells => {
    const cell = cells[column] ?? null;
    return typeof cell === 'boolean' ? String(cell) : cell;
  });
}

interface Points {
  x: Label[];
  y: Label[];
  color: Label[];
  titles: string[];
}

/** Points by two columns in the colours of a third, as a plotly figure. */
export function explorerFigure({ x, y, color, titles }: Points): Figure {
  const isScale = color.every(value => value === null || typeof value === 'number') && new Set(color).size > COLORS.length;
  const base = { type: 'scatter', mode: 'markers' };
  const axis = (labels: Label[], text = ''): Record<string, unknown> => ({
    title: { text },
    automargin: true,
    ...(labels.every(value => value === null || typeof value === 'number') ? {} : { type: 'category' })
  });
  const groups = [...new Set(color.map(cellText))].sort();
  const traces = isScale
    ? [{ ...base, x, y, marker: { size: 7, color, colorscale: 'Viridis', showscale: true, opacity: 0.8 } }]
    : groups.map((name, i) => {
        const places = color.map((value, at) => (cellText(value) === name ? at : -1)).filter(at => at >= 0);
        const marker = { size: 7, color: COLORS[i % COLORS.length], opacity: 0.75 };
        return { ...base, name, x: places.map(at => x[at] ?? null), y: places.map(at => y[at] ?? null), marker };
      });
  return {
    data: traces,
    layout: {
      xaxis: axis(x, titles[0]),
      yaxis: axis(y, titles[1]),
      showlegend: !isScale && groups.length > 1,
      hovermode: 'closest',
      margin: { l: 50, r: 20, t: 20, b: 45 }
    }
  };
}
