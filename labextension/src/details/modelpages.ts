import { el } from '../runview/dom';
import { plural, score } from '../runview/format';
import { note, own, table } from './table';
import type { ModelVersionDetails } from './types';

/** All metrics of the run that made a version. */
export function metricsPage({ metrics, minimized, run_id: run }: ModelVersionDetails): HTMLElement {
  const entries = Object.entries(metrics);
  if (!entries.length) {
    return note(run ? 'Its run reported no metrics.' : 'It was registered from a file: no metrics are known.');
  }
  const rows = entries.map(([name, value]) => [
    name,
    value === null ? '–' : score(value),
    minimized.includes(name) ? 'less is better' : ''
  ]);
  return table('Metrics', [{ label: 'Metric' }, { label: 'Value', isNumber: true }, { label: '' }], rows);
}

/** The columns that a version takes, and what it predicts. */
export function schemaPage({ schema }: ModelVersionDetails): HTMLElement[] {
  if (!schema) {
    return [note('It has no schema.json that says which columns it takes.')];
  }
  const { columns, label, task } = schema;
  const rows = columns.map(column => [own(column.name), column.dtype, column.is_nullable ? 'may be missing' : 'always there']);
  const what = el('p', {}, `Takes ${plural(columns.length, 'column')}`);
  if (label) {
    what.append(', predicts ', el('b', {}, own(label)), task ? ` (${task})` : '');
  }
  return [what, table('Columns', [{ label: 'Column' }, { label: 'Type' }, { label: 'In training' }], rows)];
}
