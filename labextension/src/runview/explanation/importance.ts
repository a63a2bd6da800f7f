import { arrange, el, fill, on, setText, show } from '../dom';
import { plural } from '../format';
import type { ExplanationPart } from './part';
import type { Explanation, Feature } from './types';
import { short } from './words';

const COUNTS = ['10', '20', '50', 'all'] as const;
type Measure = 'size' | 'loss';

const HELP: Readonly<Record<Measure, string>> = {
  size: 'How far the column moves the answers: the mean size of its contributions.',
  loss: 'How much worse the model scores when the column tells it nothing: its cells are put in a random order.'
};

/** What the columns are worth to the model, in all. */
export class Importance implements ExplanationPart {
  readonly node = el('div');
  readonly #kinds = el('select', { 'aria-label': 'Columns' });
  readonly #measures = el('select', { 'aria-label': 'Measure' });
  readonly #counts = el('select', { 'aria-label': 'How many' });
  readonly #help = el('p', { class: 'nba-muted' });
  readonly #list = el('ol', { class: 'nba-bars', 'aria-label': 'Importances' });
  readonly #more = el('p', { class: 'nba-muted' });
  #explanation: Explanation | null = null;

  constructor() {
    fill(this.#kinds, [['raw', 'columns of the data'], ['engineered', 'engineered features']]);
    fill(this.#counts, COUNTS.map(n => [n, n === 'all' ? 'all' : `top ${n}`]));
    const tools = el('div', { class: 'nba-tools' }, this.#kinds, this.#measures, this.#counts);
    this.node.append(tools, this.#help, this.#list, this.#more);
    for (const select of [this.#kinds, this.#measures, this.#counts]) {
      on(select, 'change', () => this.#draw());
    }
  }

  show(explanation: Explanation): void {
    this.#explanation = explanation;
    const has = (features: readonly Feature[]): boolean => features.length > 0;
    const engineered = this.#kinds.querySelector<HTMLOptionElement>('option[value=engineered]');
    if (engineered) {
      engineered.disabled = !has(explanation.engineered);
      if (engineered.disabled) {
        this.#kinds.value = 'raw';
      }
    }
    this.#draw();
  }

  #draw(): void {
    if (!this.#explanation) {
      return;
    }
    const { metric } = this.#explanation;
    const all = this.#kinds.value === 'raw' ? this.#explanation.raw : this.#explanation.engineered;
    const known = (['size', 'loss'] as const).filter(m => all.some(f => typeof f[m] === 'number'));
    const names = { size: 'contributions', loss: `loss of ${metric.name}` };
    fill(this.#measures, known.map(m => [m, names[m]]));
    const measure: Measure = this.#measures.value === 'loss' ? 'loss' : 'size';
    const ranked = [...all].sort((a, b) => (b[measure] ?? -Infinity) - (a[measure] ?? -Infinity));
    const most = this.#counts.value === 'all' ? ranked.length : Number(this.#counts.value);
    const longest = Math.max(...ranked.map(f => Math.abs(f[measure] ?? 0)), Number.MIN_VALUE);
    setText(this.#help, HELP[measure]);
    arrange(this.#list, ranked.slice(0, most).map(feature => bar(feature, measure, longest)));
    const left = ranked.length - most;
    setText(this.#more, left > 0 ? `and ${plural(left, 'more column')}` : '');
    show(this.#more, left > 0);
  }
}

function bar(feature: Feature, measure: Measure, longest: number): HTMLLIElement {
  const value = feature[measure] ?? null;
  const name = el('span', { class: 'nba-barname' }, feature.name);
  name.title = feature.of && feature.of.length ? `made of ${feature.of.join(', ')}` : feature.name;
  const filled = el('b', { class: (value ?? 0) < 0 ? 'nba-down' : '' });
  filled.style.width = `${(100 * Math.abs(value ?? 0)) / longest}%`;
  const track = el('span', { class: 'nba-track', 'aria-hidden': 'true' }, filled);
  const std = measure === 'loss' && feature.loss_std ? ` ± ${short(feature.loss_std)}` : '';
  const text = value === null ? 'not reached' : `${short(value)}${std}`;
  return el('li', {}, name, track, el('span', { class: 'nba-number' }, text));
}
