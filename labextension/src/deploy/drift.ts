import { el, messageOf, setText, show } from '../runview/dom';
import { plural } from '../runview/format';
import type { ColumnDrift, DeploymentSource, Drift, DriftReport } from './types';

/** An index of this and more fills the bar: twice the limit of what is called strong. */
const FULL = 0.5;

/** How far the rows of requests are from the training data: looked at when it is opened. */
export class DriftView {
  readonly node = el('section', { class: 'nba-drift' });
  readonly #toggle = el('button', { type: 'button', 'aria-expanded': 'false' }, 'Show drift');
  readonly #content = el('div', { hidden: '' });
  readonly #collect = el('input', { type: 'checkbox' });
  readonly #message = el('p', { class: 'nba-muted', role: 'status' });
  readonly #table = el('div');

  constructor(private readonly source: DeploymentSource) {
    const label = el('label', {}, this.#collect, ' Write requests and replies down');
    this.#content.append(label, this.#message, this.#table);
    this.node.append(this.#toggle, this.#content);
    this.#toggle.addEventListener('click', () => void this.#onToggle());
    this.#collect.addEventListener('change', () => void this.#ask(() => this.source.collect(this.#collect.checked)));
  }

  async #onToggle(): Promise<void> {
    const isOpen = this.#content.hidden;
    show(this.#content, isOpen);
    this.#toggle.setAttribute('aria-expanded', String(isOpen));
    setText(this.#toggle, isOpen ? 'Hide drift' : 'Show drift');
    if (isOpen) {
      await this.#ask(() => this.source.drift());
    }
  }

  async #ask(call: () => Promise<Drift>): Promise<void> {
    setText(this.#message, 'Comparing…');
    try {
      const { is_collecting, report, reason } = await call();
      this.#collect.checked = is_collecting;
      setText(this.#message, report ? about(report) : reason);
      this.#table.replaceChildren(...(report ? [columns(report)] : []));
    } catch (error) {
      setText(this.#message, messageOf(error));
    }
  }
}

function about({ n_rows, n_requests, model }: DriftReport): string {
  return `${plural(n_rows, 'row')} of ${plural(n_requests, 'request')} to ${model}, against its training data.`;
}

function columns({ prediction, columns: found }: DriftReport): HTMLElement {
  const names = ['Column', 'Moved by', '', 'Missing in training', 'Missing now', 'Never seen'];
  const head = el('tr', {}, ...names.map(name => el('th', { scope: 'col' }, name)));
  const rows = [...(prediction ? [prediction] : []), ...found].map(row);
  const table = el('table', { class: 'nba-table' }, el('thead', {}, head), el('tbody', {}, ...rows));
  return el('div', { class: 'nba-scroller', tabindex: 0, role: 'region', 'aria-label': 'Drift of columns' }, table);
}

function row(column: ColumnDrift): HTMLElement {
  const bar = el('meter', { min: 0, max: FULL, high: FULL / 2, optimum: 0, value: Math.min(column.psi, FULL) });
  bar.setAttribute('aria-label', `${column.name} moved by ${column.psi.toFixed(3)}`);
  const shares = [column.missing_then, column.missing_now, column.unseen];
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, el('bdi', {}, column.name)),
    el('td', { class: 'nba-n' }, column.psi.toFixed(3), ' ', bar),
    el('td', {}, column.verdict),
    ...shares.map(share => el('td', { class: 'nba-n' }, `${(100 * share).toFixed(1)} %`))
  );
}
