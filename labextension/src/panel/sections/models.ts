import { moment } from '../../runview/format';
import { copyText, deleteVersion, editWords, insertCode, openBy, saveFrom } from '../actions';
import { modelCode } from '../code';
import { OPEN_MODEL, OPEN_RUN } from '../commandids';
import type { Action, Item, SectionKind } from '../item';
import type { Catalog, ModelItem } from '../types';

/** The latest version of each registered model. */
export const modelSection: SectionKind = {
  id: 'models',
  name: 'Models',
  empty: 'No registered models. Register one from the leaderboard of a run.',
  items: (catalog: Catalog) => catalog.models.map(model => modelItem(model, catalog.workspace.root))
};

function modelItem(model: ModelItem, root: string): Item {
  const { name, version } = model;
  const code = modelCode(root, name, version, model.run_id !== null);
  const run: Action[] = model.run_id ? [openBy('Open its run', OPEN_RUN, { run: parentOf(model.run_id) })] : [];
  return {
    key: `model ${name}`,
    title: name,
    note: [`version ${version}`, model.description, moment(model.created_at)].filter(Boolean).join(' · '),
    more: Object.entries(model.tags).map(tag => tag.join(': ')).join('\n'),
    code,
    actions: [
      openBy('Open', OPEN_MODEL, { model: name }),
      insertCode(code),
      ...run,
      saveFrom('Download', ({ things }) => things.archive(name, version)),
      copyText('Copy name', name),
      editWords(model, ({ things }, words) => things.changeModel(name, version, words)),
      deleteVersion(name, version)
    ]
  };
}

/** The run of a child run: its id without the number behind it. */
export function parentOf(runId: string): string {
  return runId.replace(/_\d+$/, '');
}
