import { bytes, plural } from '../../runview/format';
import { copyText, insertCode, openBy } from '../actions';
import { computeCode } from '../code';
import { OPEN_COMPUTE } from '../commandids';
import type { Action, Item, SectionKind } from '../item';
import type { Catalog, ComputeItem, Scale } from '../types';

const STATES: Readonly<Record<string, string>> = {
  Succeeded: 'ready',
  Creating: 'starting',
  NotAvailable: 'not available'
};

/** Where trials run. */
export const computeSection: SectionKind = {
  id: 'compute',
  name: 'Compute',
  empty: 'No compute targets.',
  items: (catalog: Catalog) => catalog.computes.map(compute => computeItem(compute, catalog.workspace.root))
};

function computeItem(compute: ComputeItem, root: string): Item {
  const { name } = compute;
  const code = computeCode(root, name);
  return {
    key: `compute ${name}`,
    title: name,
    note: computeFacts(compute).join(' · '),
    more: compute.problem,
    status: compute.state === 'Succeeded' ? 'Completed' : 'NotStarted',
    code,
    actions: [
      openBy('Open', OPEN_COMPUTE, { compute: name }),
      insertCode(code),
      ...computeActions(compute),
      copyText('Copy name', name)
    ]
  };
}

/** What a target is and has, in a few words each. */
export function computeFacts(compute: ComputeItem): string[] {
  const { nodes, cores, memory_bytes: memory, gpus, scale } = compute;
  const isOff = compute.is_started === false && compute.state === 'Succeeded';
  return [
    compute.kind === compute.name ? 'this machine' : compute.kind,
    isOff ? 'starts when it is used' : (STATES[compute.state] ?? compute.state),
    isOff || nodes === null || (nodes === 1 && !scale) ? '' : plural(nodes, 'node'),
    scale ? `${scale.min_nodes} to ${scale.max_nodes}` : '',
    cores === null ? '' : plural(cores, 'core'),
    memory === null || memory === 0 ? '' : bytes(memory),
    gpus ? plural(gpus, 'GPU') : ''
  ].filter(Boolean);
}

/** What can be done with a target, besides looking at it. */
export function computeActions({ name, dashboard, scale, is_started: isStarted }: ComputeItem): Action[] {
  const actions: Action[] = dashboard ? [visitDashboard(dashboard)] : [];
  if (scale) {
    actions.push(scaleTo(name, scale), turn(name, isStarted === true), remove(name));
  }
  return actions;
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

function scaleTo(name: string, now: Scale): Action {
  const field = (key: keyof Scale, label: string) => ({ name: key, label, value: String(now[key]), isRequired: true });
  return {
    label: 'Scale…',
    submit: 'Scale',
    changes: true,
    fields: [
      field('min_nodes', 'Fewest nodes'),
      field('max_nodes', 'Most nodes'),
      field('idle_seconds', 'Idle seconds before a node goes')
    ],
    run: async ({ things }, values) => {
      const number = (key: keyof Scale): number => {
        const value = Number(values[key]);
        if (!Number.isFinite(value)) {
          throw new Error(`${key} must be a number; got ${values[key]}.`);
        }
        return value;
      };
      const scale = { min_nodes: number('min_nodes'), max_nodes: number('max_nodes'), idle_seconds: number('idle_seconds') };
      await things.scaleCompute(name, scale);
      return `${name} has ${scale.min_nodes} to ${plural(scale.max_nodes, 'node')} from now on.`;
    }
  };
}

function turn(name: string, isStarted: boolean): Action {
  if (!isStarted) {
    return {
      label: 'Start',
      changes: true,
      run: async ({ things }) => {
        await things.turnCompute(name, 'start');
        return `${name} is starting.`;
      }
    };
  }
  return {
    label: 'Stop…',
    confirm: `Stop ${name} and its nodes? The next run that uses it starts it again.`,
    changes: true,
    run: async ({ things }) => {
      await things.turnCompute(name, 'stop');
      return `${name} is stopped.`;
    }
  };
}

function remove(name: string): Action {
  return {
    label: 'Delete…',
    key: 'Delete',
    confirm: `Delete the compute target ${name}? Its nodes end, and nothing of it is left.`,
    isDangerous: true,
    changes: true,
    run: async ({ things }) => {
      await things.deleteCompute(name);
      return `${name} is deleted.`;
    }
  };
}
