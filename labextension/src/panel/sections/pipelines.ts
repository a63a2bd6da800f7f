import type { PipelineKind } from '../../details/types';
import { moment, plural } from '../../runview/format';
import { copyText, insertCode, openBy } from '../actions';
import { pipelineCode, scheduleCode } from '../code';
import { OPEN_PIPELINE, OPEN_RUN } from '../commandids';
import type { Action, Item, SectionKind } from '../item';
import type { Catalog, EndpointItem, Parameters, PipelineItem, ScheduleItem } from '../types';

/** Field of the form that is no parameter: no parameter has a space before its name. */
const EXPERIMENT = ' experiment';

/** What is there of a pipeline that can be run by a name or a number. */
export interface Runnable {
  readonly kind: PipelineKind;
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly address: string;
  readonly parameters: Parameters;
}

/** Endpoints, published pipelines, and when they run by themselves. */
export const pipelineSection: SectionKind = {
  id: 'pipelines',
  name: 'Pipelines',
  empty: 'No published pipelines. pipeline.publish(name) makes one.',
  items: ({ endpoints, pipelines, schedules, workspace: { root } }: Catalog) => [
    ...endpoints.map(one => endpointItem(one, root)),
    ...pipelines.map(one => publishedItem(one, root)),
    ...schedules.map(one => scheduleItem(one, root))
  ]
};

function endpointItem(endpoint: EndpointItem, root: string): Item {
  const { versions, default_version: chosen } = endpoint;
  const now = versions.find(one => one.is_default);
  const facts = [`version ${chosen} of ${versions.length}`, plural(now?.steps.length ?? 0, 'step')];
  return runnableItem({ ...endpoint, kind: 'endpoint', parameters: now?.parameters ?? {} }, root, 'Endpoints', facts, endpoint.description);
}

function publishedItem(pipeline: PipelineItem, root: string): Item {
  const { version, steps, created_at: made, description, endpoints } = pipeline;
  const facts = [version && `version ${version}`, plural(steps.length, 'step'), moment(made)];
  return runnableItem({ ...pipeline, kind: 'pipeline' }, root, 'Published', facts, [description, ...endpoints].filter(Boolean).join('\n'));
}

function runnableItem(one: Runnable, root: string, group: string, facts: string[], more: string): Item {
  return {
    key: `${one.kind} ${one.id}`,
    title: one.name,
    note: [isOn(one) ? '' : one.status, ...facts].filter(Boolean).join(' · '),
    more,
    status: isOn(one) ? 'Completed' : 'NotStarted',
    group,
    code: codeOf(one, root),
    actions: [openBy('Open', OPEN_PIPELINE, { kind: one.kind, pipeline: one.id }), ...pipelineActions(one, root)]
  };
}

function scheduleItem(schedule: ScheduleItem, root: string): Item {
  const { id, name, when, target, next_at: next, error, last_run_id: last, description } = schedule;
  const code = scheduleCode(root, id);
  const others: [Action, Action] = [insertCode(code), turn('schedule', schedule)];
  const shown = [isOn(schedule) ? '' : schedule.status, target, when, next === null ? '' : `next ${moment(next)}`];
  return {
    key: `schedule ${id}`,
    title: name,
    note: (error ? [error] : shown).filter(Boolean).join(' · '),
    more: [...shown, description].filter(Boolean).join('\n'),
    status: error ? 'Failed' : isOn(schedule) ? 'Completed' : 'NotStarted',
    group: 'Schedules',
    code,
    actions: last ? [openBy('Open its last run', OPEN_RUN, { run: last }), ...others] : others
  };
}

/** What can be done with a pipeline, besides looking at it. */
export function pipelineActions(one: Runnable, root: string): Action[] {
  return [
    ...(isOn(one) ? [runWith(one)] : []),
    insertCode(codeOf(one, root)),
    copyText('Copy REST address', one.address),
    turn(one.kind, one)
  ];
}

/** Let it run, or let it not; what is under way goes on. */
export function turn(kind: PipelineKind | 'schedule', one: { readonly id: string; readonly name: string; readonly status: string }): Action {
  const on = isOn(one);
  return {
    label: on ? 'Disable' : 'Enable',
    changes: true,
    run: async ({ things }) => {
      await things.changePipeline(kind, one.id, { enabled: !on });
      return `${one.name} is ${on ? 'disabled' : 'enabled'}.`;
    }
  };
}

export function chooseVersion(id: string, version: string): Action {
  return {
    label: 'Make it the default',
    changes: true,
    run: async ({ things }) => {
      await things.changePipeline('endpoint', id, { default_version: version });
      return `Version ${version} runs from now on.`;
    }
  };
}

function runWith({ kind, id, name, parameters }: Runnable): Action {
  const known = Object.entries(parameters);
  return {
    label: 'Run…',
    changes: true,
    fields: [
      { name: EXPERIMENT, label: 'Experiment', value: name.replace(/[^\w.-]+/g, '-').replace(/^[^A-Za-z0-9]+/, ''), isRequired: true },
      ...known.map(([key, value]) => ({ name: key, label: key, value: written(value) }))
    ],
    run: async (doings, values) => {
      const changed = known.filter(([key, value]) => values[key] !== written(value));
      const given = changed.map(([key, value]) => [key, read(key, values[key] ?? '', value)] as const);
      const asked = { experiment: values[EXPERIMENT], parameters: Object.fromEntries(given) };
      const run = await doings.things.runPipeline(kind, id, asked);
      await doings.run(OPEN_RUN, { run });
      return `It runs as ${run}.`;
    }
  };
}

function written(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A value as it was typed: a text where the default is one, else JSON. */
function read(name: string, typed: string, usual: unknown): unknown {
  if (typeof usual === 'string') {
    return typed;
  }
  try {
    return JSON.parse(typed) as unknown;
  } catch {
    throw new Error(`${name} must be written as ${JSON.stringify(usual)} is; got ${typed || 'nothing'}.`);
  }
}

function codeOf({ kind, id, parameters }: Runnable, root: string): string {
  return pipelineCode(root, kind, id, parameters);
}

function isOn({ status }: { readonly status: string }): boolean {
  return status === 'Active';
}
