/** Python for cells: what uses a thing of a workspace. */

import type { Parameters } from './types';

/** A text as Python writes it. */
export function text(value: string): string {
  return JSON.stringify(value);
}

export function workspaceCode(root: string): string {
  return `from nbautoml import Workspace\n\n${home(root)}\nws`;
}

export function runCode(root: string, runId: string): string {
  return `from nbautoml import RunDetails, Workspace\n\n${home(root)}\nrun = ws.get_run(${text(runId)})\nRunDetails(run).show()`;
}

export function datasetCode(root: string, name: string, version: number): string {
  const call = `Dataset.get_by_name(ws, ${text(name)}, version=${version})`;
  return `from nbautoml import Dataset, Workspace\n\n${home(root)}\ndataset = ${call}\ndataset.take(10).to_pandas_dataframe()`;
}

/** Load a model and predict; one that no run made is loaded only by who trusts its file. */
export function modelCode(root: string, name: string, version: number, isOfRun: boolean): string {
  const load = isOfRun
    ? `model = Model(ws, ${text(name)}, version=${version}).load()`
    : `# It comes from a file: trust=True only if you know where from, for loading can run any code.\nmodel = Model(ws, ${text(name)}, version=${version}).load(trust=False)`;
  return `from nbautoml import Model, Workspace\n\n${home(root)}\n${load}\n# rows: a DataFrame with the columns of the training data\n# model.predict(rows)\nmodel`;
}

export function deploymentCode(root: string, name: string): string {
  const use = '# rows: a DataFrame with the columns of the training data\n# service.run({"data": rows.to_dict("records")})';
  return `from nbautoml import Webservice, Workspace\n\n${home(root)}\nservice = Webservice(ws, ${text(name)})\n${use}\nservice`;
}

/** Run a published pipeline, or what an endpoint runs, with its parameters as they are. */
export function pipelineCode(root: string, kind: 'pipeline' | 'endpoint', id: string, values: Parameters): string {
  const [name, submit] = kind === 'endpoint' ? ['PipelineEndpoint', 'submit('] : ['PublishedPipeline', 'submit(ws, '];
  const given = Object.entries(values).map(([key, value]) => `${text(key)}: ${python(value)}`);
  const run = `# run = pipeline.${submit}"experiment", pipeline_parameters={${given.join(', ')}})`;
  return `from nbautoml import ${name}, Workspace\n\n${home(root)}\npipeline = ${name}.get(ws, id=${text(id)})\n${run}\npipeline`;
}

export function scheduleCode(root: string, id: string): string {
  return `from nbautoml import Schedule, Workspace\n\n${home(root)}\nschedule = Schedule.get(ws, ${text(id)})\nschedule`;
}

export function computeCode(root: string, name: string): string {
  return `from nbautoml import ComputeTarget, Workspace\n\n${home(root)}\ncompute_target = ComputeTarget(ws, ${text(name)})\ncompute_target`;
}

/** A value of JSON as Python writes it. */
function python(value: unknown): string {
  const words: Readonly<Record<string, string>> = { true: 'True', false: 'False', null: 'None' };
  const json = JSON.stringify(value);
  return words[json] ?? json;
}

function home(root: string): string {
  return `ws = Workspace.from_config(${text(root)})`;
}
