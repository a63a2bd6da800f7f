import type { Deployment } from '../../deploy/types';
import { moment } from '../../runview/format';
import { copyText, insertCode, openBy } from '../actions';
import { deploymentCode } from '../code';
import { OPEN_DEPLOYMENT, OPEN_RUN } from '../commandids';
import type { Action, Item, SectionKind } from '../item';
import type { Catalog } from '../types';
import { parentOf } from './models';

/** Models that are served over HTTP. */
export const deploymentSection: SectionKind = {
  id: 'deployments',
  name: 'Deployments',
  empty: 'No deployments. Deploy a model from the leaderboard of a run, or with run.deploy(name).',
  items: (catalog: Catalog) => catalog.deployments.map(one => deploymentItem(one, catalog.workspace.root))
};

function deploymentItem(deployment: Deployment, root: string): Item {
  const { name, state, models, address, created_at: createdAt } = deployment;
  const code = deploymentCode(root, name);
  const [made] = deployment.run_ids;
  const run: Action[] = made ? [openBy('Open its run', OPEN_RUN, { run: parentOf(made) })] : [];
  return {
    key: `deployment ${name}`,
    title: name,
    note: [state, models.join(', '), moment(createdAt)].filter(Boolean).join(' · '),
    more: deployment.error || deployment.description,
    status: statusOf(state),
    code,
    actions: [
      openBy('Open', OPEN_DEPLOYMENT, { deployment: name }),
      insertCode(code),
      ...run,
      copyText('Copy address', address),
      {
        label: 'Restart',
        changes: true,
        run: async ({ things }) => {
          await things.restartDeployment(name);
          return `${name} is started again.`;
        }
      },
      {
        label: 'Delete…',
        key: 'Delete',
        confirm: `Delete the deployment ${name}? Nothing answers at its address any more; its model stays.`,
        isDangerous: true,
        changes: true,
        run: async ({ things }) => {
          await things.deleteDeployment(name);
          return `${name} is deleted.`;
        }
      }
    ]
  };
}

/** The state of a run that has the same colour. */
function statusOf(state: string): string {
  const known: Readonly<Record<string, string>> = { Healthy: 'Completed', Transitioning: 'Running' };
  return known[state] ?? 'Failed';
}
