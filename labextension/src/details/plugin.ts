import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';

import { DeploymentApi } from '../deploy/api';
import { DeploymentCard } from '../deploy/card';
import { DriftView } from '../deploy/drift';
import { doingsIn } from '../doings';
import { MainArea } from '../mainarea';
import { Notebooks } from '../notebook';
import { OPEN_COMPUTE, OPEN_DATASET, OPEN_DEPLOYMENT, OPEN_MODEL, OPEN_PIPELINE, OPEN_RUN } from '../panel/commandids';
import type { Doings } from '../panel/item';
import { el } from '../runview/dom';
import { shortId } from '../runview/format';
import { IServer, type Server } from '../server';
import { viewOf } from '../views';
import { ComputeView } from './compute';
import { DatasetView } from './dataset';
import { ModelView } from './model';
import { PipelineView } from './pipeline';

/** Opens runs, datasets, models and deployments in the main area. */
export const detailsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'nbautoml:details',
  description: 'Shows runs, datasets, models and deployments of a workspace in the main area.',
  autoStart: true,
  requires: [IServer],
  optional: [ILayoutRestorer],
  activate: (app: JupyterFrontEnd, { transport, plotter, open }: Server, restorer: ILayoutRestorer | null) => {
    const notebooks = new Notebooks(app);
    const doings = (workspace: string): Doings => doingsIn(workspace, app, notebooks, transport);
    const area = (name: string): MainArea => new MainArea(app, `nbautoml-${name}`);
    const [runs, datasets, models] = [area('runs'), area('datasets'), area('models')];
    const [computes, deployments, pipelines] = [area('computes'), area('deployments'), area('pipelines')];

    add(app, OPEN_RUN, 'Open a Run', runs, restorer, async ({ run = '', workspace = '' }) =>
      runs.show(`nbautoml-run-${run}`, shortId(run), { run, workspace }, async () =>
        viewOf(await transport.run(run, workspace), transport, plotter, open)
      )
    );
    add(app, OPEN_DATASET, 'Open a Dataset', datasets, restorer, async ({ dataset = '', workspace = '' }) => {
      const { name } = await doings(workspace).things.dataset(dataset);
      await datasets.show(`nbautoml-dataset-${workspace}-${name || dataset}`, name || dataset, { dataset, workspace }, async () => {
        const view = new DatasetView(dataset, doings(workspace));
        await view.show(dataset);
        return view;
      });
    });
    add(app, OPEN_COMPUTE, 'Open a Compute Target', computes, restorer, async ({ compute = '', workspace = '' }) =>
      computes.show(`nbautoml-compute-${workspace}-${compute}`, compute, { compute, workspace }, async () => {
        await doings(workspace).things.compute(compute); // one that is not there opens nothing
        const view = new ComputeView(compute, doings(workspace));
        await view.show();
        return view;
      })
    );
    add(app, OPEN_MODEL, 'Open a Model', models, restorer, async ({ model = '', workspace = '' }) =>
      models.show(`nbautoml-model-${workspace}-${model}`, model, { model, workspace }, async () => {
        const { things } = doings(workspace);
        await things.model(model); // one that is not there opens nothing
        const view = new ModelView(model, doings(workspace));
        await view.show(null);
        return view;
      })
    );
    add(app, OPEN_PIPELINE, 'Open a Pipeline', pipelines, restorer, async ({ kind = '', pipeline = '', workspace = '' }) => {
      const what = kind === 'endpoint' ? kind : 'pipeline';
      const { name } = await doings(workspace).things.pipeline(what, pipeline); // one that is not there opens nothing
      await pipelines.show(`nbautoml-${what}-${workspace}-${pipeline}`, name, { kind, pipeline, workspace }, async () => {
        const view = new PipelineView(what, pipeline, doings(workspace));
        await view.show();
        return view;
      });
    });
    add(app, OPEN_DEPLOYMENT, 'Open a Deployment', deployments, restorer, async ({ deployment = '', workspace = '' }) => {
      const id = `nbautoml-deployment-${workspace}-${deployment}`;
      await deployments.show(id, deployment, { deployment, workspace }, () => {
        const source = new DeploymentApi(transport.api, workspace, deployment);
        const card = new DeploymentCard(deployment, source, () => deployments.close(id), service => [new DriftView(service)]);
        return { node: el('div', { class: 'nbautoml' }, card.node), dispose: () => card.dispose() };
      });
    });
  }
};

/** Add a command whose arguments are texts; without them it is not offered. */
function add(
  { commands }: JupyterFrontEnd,
  id: string,
  label: string,
  area: MainArea,
  restorer: ILayoutRestorer | null,
  open: (args: Readonly<Record<string, string>>) => Promise<void>
): void {
  commands.addCommand(id, {
    label: `AutoML: ${label}`,
    isVisible: args => Object.keys(args).length > 0,
    execute: args => open(Object.fromEntries(Object.entries(args).map(([key, value]) => [key, String(value)])))
  });
  area.restoreBy(id, restorer);
}
