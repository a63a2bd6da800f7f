import { count } from '../../runview/format';
import { editWords, insertCode, openBy, copyText, unregister } from '../actions';
import { datasetCode } from '../code';
import { OPEN_DATASET } from '../commandids';
import type { Item, SectionKind } from '../item';
import type { Catalog, DatasetItem } from '../types';

/** The latest version of each registered dataset. */
export const datasetSection: SectionKind = {
  id: 'datasets',
  name: 'Datasets',
  empty: 'No registered datasets. Dataset.Tabular…register(ws, name) makes one.',
  items: (catalog: Catalog) => catalog.datasets.map(dataset => datasetItem(dataset, catalog.workspace.root))
};

function datasetItem(dataset: DatasetItem, root: string): Item {
  const { id, name, version } = dataset;
  const size = dataset.rows === null ? '' : `${count(dataset.rows)} × ${count(dataset.columns ?? 0)}`;
  const code = datasetCode(root, name, version);
  return {
    key: `dataset ${name}`,
    title: name,
    note: [`version ${version}`, size, dataset.description].filter(Boolean).join(' · '),
    more: Object.entries(dataset.tags).map(tag => tag.join(': ')).join('\n'),
    code,
    actions: [
      openBy('Open', OPEN_DATASET, { dataset: id }),
      insertCode(code),
      copyText('Copy name', name),
      editWords(dataset, ({ things }, words) => things.changeDataset(id, words)),
      unregister(id, name)
    ]
  };
}
