import { own, table } from '../details/table';
import { el, messageOf, on, setText } from '../runview/dom';
import { plural } from '../runview/format';
import { Disclosure } from './disclosure';
import type { ColumnDrift, DeploymentSource, Drift, DriftReport } from './types';

/** An index of this and more fills the bar: twice the limit of what is called strong. */
const FULL = 0.5;

/** How far the rows of requests are from the training data: looked at when it is opened. */
export class DriftView {
  readonly node = el('section', { class: 'nba-drift' });
  readonly #content = el('div');
  readonly #toggle = new Disclosure('drift', this.#content, isOpen => isOpen && this.#ask(() => this.source.drift()));
  readonly #collect = el('input', { type: 'checkbox' });
  readonly #message = el('p', { class: 'nba-muted', role: 'status' });
  readonly #table = el('div');

  constructor(private readonly source: DeploymentSource) {
    const label = el('label', {}, this.#collect, ' Write requests and replies down');
    this.#content.append(label, this.#message, this.#table);
    this.node.append(this.#toggle.node, this.#content);
    on(this.#collect, 'change', () => void this.#ask(() => this.source.collect(this.#collect.checked)));
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

const HEADS = ['Column', 'Moved by', '', 'Missing in training', 'Missing now', 'Never seen'].map((label, i) => ({
  label,
  isNumber: i > 2
}));

function columns({ prediction, columns: found }: DriftReport): HTMLElement {
  return table('Drift of columns', HEADS, [...(prediction ? [prediction] : []), ...found].map(row));
}

function row(column: ColumnDrift): (Node | string)[] {
  const bar = el('meter', {
    ...{ min: 0, max: FULL, high: FULL / 2, optimum: 0, value: Math.min(column.psi, FULL) },
    'aria-label': `${column.name} moved by ${column.psi.toFixed(3)}`
  });
  const shares = [column.missing_then, column.missing_now, column.unseen];
  return [
    own(column.name),
    el('span', {}, column.psi.toFixed(3), ' ', bar),
    column.verdict,
    ...shares.map(share => `${(100 * share).toFixed(1)} %`)
  ];
}
