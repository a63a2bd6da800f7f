import { bytes, plural } from '../../runview/format';
import { copyText, insertCode } from '../actions';
import { computeCode } from '../code';
import type { Action, Item, SectionKind } from '../item';
import type { Catalog, ComputeItem } from '../types';

const STATES: Readonly<Record<string, string>> = { Succeeded: 'ready', NotAvailable: 'not available' };

/** Where trials run. */
export const computeSection: SectionKind = {
  id: 'compute',
  name: 'Compute',
  empty: 'No compute targets.',
  items: (catalog: Catalog) => catalog.computes.map(compute => computeItem(compute, catalog.workspace.root))
};

function computeItem(compute: ComputeItem, root: string): Item {
  const code = computeCode(root, compute.name);
  const { nodes, cores, memory_bytes: memory, gpus, dashboard } = compute;
  const facts = [
    compute.kind === compute.name ? 'this machine' : compute.kind,
    STATES[compute.state] ?? compute.state,
    nodes === null || nodes === 1 ? '' : plural(nodes, 'node'),
    cores === null ? '' : plural(cores, 'core'),
    memory === null || memory === 0 ? '' : bytes(memory),
    gpus ? plural(gpus, 'GPU') : ''
  ];
  return {
    key: `compute ${compute.name}`,
    title: compute.name,
    note: facts.filter(Boolean).join(' · '),
    more: compute.problem,
    status: compute.state === 'Succeeded' ? 'Completed' : 'NotStarted',
    code,
    actions: [insertCode(code), ...(dashboard ? [visitDashboard(dashboard)] : []), copyText('Copy name', compute.name)]
  };
}

function visitDashboard(address: string): Action {
  return {
    label: 'Open the Dask dashboard',
    run: async doings => {
      doings.visit(address);
      return '';
    }
  };
}
