import { el } from '../runview/dom';
import { moment, shortId, statusWords } from '../runview/format';
import { link, note, own, table } from './table';
import type { DatasetDetails } from './types';

/** What a link of the page opens. */
export interface Links {
  openRun(id: string): void;
  openModel(name: string): void;
}

/** Where a dataset comes from, and what was made with it. */
export function lineage(dataset: DatasetDetails, links: Links): HTMLElement[] {
  return [
    el('h3', {}, 'Comes from'),
    origin(dataset, links),
    el('h3', {}, 'Used by'),
    runs(dataset, links),
    el('h3', {}, 'Models'),
    models(dataset, links)
  ];
}

function origin({ origin: { reader, sources, steps }, made_by: run }: DatasetDetails, { openRun }: Links): HTMLElement {
  const items = sources.map(source => el('li', {}, own(source)));
  if (run) {
    items.unshift(el('li', {}, 'made by run ', link(shortId(run), () => openRun(run))));
  }
  if (!items.length) {
    items.push(el('li', {}, reader === 'memory' ? 'a DataFrame in memory' : 'nothing is known of its source'));
  }
  items.push(...steps.map(step => el('li', {}, 'then ', own(step))));
  return el('ul', {}, ...items);
}

function runs({ used_by: uses }: DatasetDetails, { openRun }: Links): HTMLElement {
  if (!uses.length) {
    return note('No run of this workspace has used this version.');
  }
  const rows = uses.map(use => [
    own(use.experiment),
    link(shortId(use.run_id), () => openRun(use.run_id)),
    use.roles.join(', '),
    statusWords(use.status),
    moment(use.created_at)
  ]);
  const columns = ['Experiment', 'Run', 'As', 'State', 'Begun'].map(label => ({ label }));
  return table('Runs that used it', columns, rows);
}

function models({ models: found }: DatasetDetails, { openModel }: Links): HTMLElement {
  if (!found.length) {
    return note('No registered model learned from this version.');
  }
  const rows = found.map(({ name, version }) => [link(name, () => openModel(name)), String(version)]);
  return table('Models that learned from it', [{ label: 'Model' }, { label: 'Version' }], rows);
}
