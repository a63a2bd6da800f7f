/** What the panel shows of each thing of a workspace, and the code that uses it. */

import { count, moment, score, shortId, statusWords } from '../runview/format';
import type { Catalog, ComputeItem, DatasetItem, ModelItem, RunItem } from './types';

/** One line of a section. */
export interface Item {
  readonly key: string;
  readonly title: string;
  readonly note: string;
  /** A state with a colour of its own, such as a run's. */
  readonly status?: string;
  /** Python for a new cell. */
  readonly code: string;
  /** The run that a double click opens. */
  readonly runId?: string;
}

export interface SectionContent {
  readonly name: string;
  readonly items: readonly Item[];
  /** What to say, and to do, when there are none. */
  readonly empty: string;
}

export function sections(catalog: Catalog): SectionContent[] {
  const home = `ws = Workspace.from_config(${text(catalog.workspace.root)})`;
  return [
    {
      name: 'Runs',
      items: catalog.runs.map(run => runItem(run, home)),
      empty: 'No runs yet. A cell that begins with %%automl starts one.'
    },
    {
      name: 'Datasets',
      items: catalog.datasets.map(dataset => datasetItem(dataset, home)),
      empty: 'No registered datasets. Dataset.Tabular…register(ws, name) makes one.'
    },
    {
      name: 'Models',
      items: catalog.models.map(model => modelItem(model, home)),
      empty: 'No registered models. Register one from the leaderboard of a run.'
    },
    {
      name: 'Compute',
      items: catalog.computes.map(compute => computeItem(compute, home)),
      empty: 'No compute targets.'
    }
  ];
}

function runItem(run: RunItem, home: string): Item {
  const best = run.score === null ? '' : `${run.metric ?? 'score'} ${score(run.score)}`;
  return {
    key: `run ${run.id}`,
    title: run.name || run.experiment,
    note: [statusWords(run.status), best, moment(run.created_at), shortId(run.id)].filter(Boolean).join(' · '),
    status: run.status,
    code: `from nbautoml import RunDetails, Workspace\n\n${home}\nrun = ws.get_run(${text(run.id)})\nRunDetails(run).show()`,
    runId: run.id
  };
}

function datasetItem(dataset: DatasetItem, home: string): Item {
  const size = dataset.rows === null ? '' : `${count(dataset.rows)} × ${count(dataset.columns ?? 0)}`;
  return {
    key: `dataset ${dataset.name}`,
    title: dataset.name,
    note: [`version ${dataset.version}`, size, dataset.description].filter(Boolean).join(' · '),
    code: `from nbautoml import Dataset, Workspace\n\n${home}\ndataset = Dataset.get_by_name(ws, ${text(dataset.name)}, version=${dataset.version})\ndataset.take(10).to_pandas_dataframe()`
  };
}

function modelItem(model: ModelItem, home: string): Item {
  return {
    key: `model ${model.name}`,
    title: model.name,
    note: [`version ${model.version}`, model.description, moment(model.created_at)].filter(Boolean).join(' · '),
    code: `from nbautoml import Model, Workspace\n\n${home}\nmodel = Model(ws, ${text(model.name)}, version=${model.version}).load()`,
    ...(model.run_id ? { runId: parentOf(model.run_id) } : {})
  };
}

function computeItem(compute: ComputeItem, home: string): Item {
  return {
    key: `compute ${compute.name}`,
    title: compute.name,
    note: compute.kind,
    code: `from nbautoml import ComputeTarget, Workspace\n\n${home}\ncompute_target = ComputeTarget(ws, ${text(compute.name)})`
  };
}

/** A text as Python writes it. */
export function text(value: string): string {
  return JSON.stringify(value);
}

/** The run of a child run: its id without the number behind it. */
export function parentOf(runId: string): string {
  return runId.replace(/_\d+$/, '');
}
