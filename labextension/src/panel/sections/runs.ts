import { count, moment, plural, score, shortId, statusWords } from '../../runview/format';
import type { Header } from '../../runview/types';
import { copyText, insertCode, openBy } from '../actions';
import { runCode } from '../code';
import { OPEN_RUN } from '../commandids';
import type { Action, Item, Live, SectionKind } from '../item';
import type { Catalog, RunItem } from '../types';

/** The newest runs, by experiment. */
export const runSection: SectionKind = {
  id: 'runs',
  name: 'Runs',
  empty: 'No runs yet. A cell that begins with %%automl starts one.',
  items: (catalog: Catalog, live: Live) => {
    const items = catalog.runs.map(run => runItem(run, catalog.workspace.root, live.get(run.id)));
    // Those of an experiment together, the one with the newest run first.
    const groups = [...new Set(items.map(item => item.group))];
    return groups.flatMap(group => items.filter(item => item.group === group));
  }
};

function runItem(run: RunItem, root: string, header: Header | undefined): Item {
  const now = header ? withHeader(run, header) : run;
  const best = now.score === null ? '' : `${now.metric ?? 'score'} ${score(now.score)}`;
  const done = now.steps ? `${now.steps[0]} of ${plural(now.steps[1], 'step')}` : header?.is_live && !NO_SEARCH.has(run.type) ? iterations(header) : '';
  const code = runCode(root, run.id);
  return {
    key: `run ${run.id}`,
    title: run.name || shortId(run.id),
    note: [statusWords(now.status), best, done, moment(run.created_at)].filter(Boolean).join(' · '),
    more: [run.id, run.reason].filter(Boolean).join('\n'),
    status: now.status,
    progress: header?.is_live ? header.progress : null,
    group: run.experiment,
    code,
    actions: [
      openBy('Open', OPEN_RUN, { run: run.id }),
      insertCode(code),
      copyText('Copy id', run.id),
      ...(now.is_live ? whileLive(now) : []),
      ...(now.best === null ? [] : [registerBest(run, now.best)])
    ]
  };
}

/** A run with what it said last over the websocket. */
function withHeader(run: RunItem, header: Header): RunItem {
  return {
    ...run,
    status: header.status,
    is_live: header.is_live,
    metric: header.metric?.name ?? run.metric,
    score: header.best?.score ?? run.score,
    best: header.best?.n ?? run.best,
    steps: header.steps ?? run.steps ?? null
  };
}

function iterations({ n_done: done, max_iterations: most }: Header): string {
  return most === null ? `${count(done)} done` : `${count(done)} of ${count(most)}`;
}

/** Types of runs that know no search that could end early. */
const NO_SEARCH: ReadonlySet<string> = new Set(['azureml.scriptrun', 'azureml.PipelineRun', 'interactive']);

function whileLive(run: RunItem): Action[] {
  const isStopping = run.status === 'CancelRequested';
  const finish: Action = {
    label: 'Finish now',
    changes: true,
    run: async ({ things }) => {
      await things.ask(run.id, 'finish_now');
      return 'It ends its search and builds the final model.';
    }
  };
  const stop: Action = {
    label: 'Stop…',
    key: 'Delete',
    confirm: `Stop this run? ${NO_SEARCH.has(run.type) ? 'What it stored is' : 'Finished models are'} kept.`,
    isDangerous: true,
    changes: true,
    run: async ({ things }) => {
      await things.ask(run.id, 'cancel');
      return 'It was asked to stop.';
    }
  };
  const search = NO_SEARCH.has(run.type) ? [] : [...turn(run), finish];
  return isStopping ? [] : [...search, stop];
}

/** Pause a run that goes on, or let one that pauses go on. */
function turn({ id, status }: RunItem): Action[] {
  const action = (label: string, kind: 'pause' | 'resume', said: string): Action => ({
    label,
    changes: true,
    run: async ({ things }) => {
      await things.ask(id, kind);
      return said;
    }
  });
  if (status === 'Paused') {
    return [action('Resume', 'resume', 'It goes on with its search.')];
  }
  return status === 'Running' ? [action('Pause', 'pause', 'It begins no more models for now.')] : [];
}

function registerBest(run: RunItem, n: number): Action {
  return {
    label: 'Register best model…',
    changes: true,
    fields: [
      { name: 'name', label: 'Name', value: modelName(run.experiment), isRequired: true },
      { name: 'description', label: 'Description', value: '' }
    ],
    run: async ({ things }, values) => {
      const made = await things.register(run.id, n, values['name'] ?? '', values['description'] ?? '');
      return `Registered as ${made.name}, version ${made.version}.`;
    }
  };
}

/** A name that the registry takes, made of an experiment's. */
export function modelName(experiment: string): string {
  return experiment.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'model';
}
