import { plural } from '../../runview/format';
import { copyText, insertCode } from '../actions';
import { workspaceCode } from '../code';
import type { SectionKind } from '../item';
import type { Catalog } from '../types';

/** The workspace itself: where it is, and how much it holds. */
export const workspaceSection: SectionKind = {
  id: 'workspace',
  name: 'Workspace',
  empty: '',
  items: ({ workspace, datasets, models }: Catalog) => {
    const { name, root, store, runs, experiments } = workspace;
    const code = workspaceCode(root);
    const counts = [
      plural(experiments, 'experiment'),
      plural(runs, 'run'),
      plural(datasets.length, 'dataset'),
      plural(models.length, 'model')
    ];
    return [
      {
        key: `workspace ${root}`,
        title: name,
        note: `${root}\n${[store, ...counts].join(' · ')}`,
        isWrapped: true,
        code,
        actions: [insertCode(code), copyText('Copy path', root)]
      }
    ];
  }
};
