import type { Doings } from '../panel/item';
import { OPEN_RUN } from '../panel/commandids';
import { chooseVersion, pipelineActions, turn } from '../panel/sections/pipelines';
import { el } from '../runview/dom';
import { moment, plain, shortId, statusWords } from '../runview/format';
import type { CardHost } from '../runview/graph/card';
import { GraphTab } from '../runview/graph/tab';
import { Tabs } from '../runview/tabs';
import { ActionBar } from './actionbar';
import { Head } from './head';
import { Opener } from './opener';
import { link, note, own, table } from './table';
import type { PipelineDetails, PipelineKind } from './types';

const TABS = ['Graph', 'Parameters', 'Versions', 'Schedules', 'Runs'] as const;
const VERSIONS = 2;

/** Its steps have no runs: nothing of these is ever asked. */
const NO_RUNS: Omit<CardHost, 'name'> = {
  source: () => ({ log: async () => ({ seq: 0, lines: [] }) }),
  view: () => Promise.reject(new Error('It has not run.')),
  open: () => undefined
};

/** A published pipeline, or an endpoint with its versions, in the main area. */
export class PipelineView {
  readonly node = el('article', { class: 'nbautoml nbautoml-details', 'aria-label': 'Pipeline' });
  readonly #head: Head;
  readonly #bar: ActionBar;
  readonly #opener: Opener;
  readonly #graph = new GraphTab(() => 0, NO_RUNS);
  readonly #pages = TABS.map(() => el('div'));
  readonly #tabs = new Tabs(TABS.map((label, i) => ({ label, panel: this.#pages[i] ?? this.node })));

  constructor(
    private readonly kind: PipelineKind,
    private readonly id: string,
    private readonly doings: Doings
  ) {
    this.#head = new Head(kind === 'endpoint' ? 'Pipeline endpoint' : 'Published pipeline', () => undefined);
    this.#head.setVersions([], '');
    this.#bar = new ActionBar(doings, () => void this.show());
    this.#opener = new Opener(doings);
    this.#pages[0]?.append(this.#graph.node);
    this.#tabs.setShown(VERSIONS, kind === 'endpoint');
    this.node.append(this.#head.node, this.#bar.node, this.#opener.node, this.#tabs.node);
  }

  /** Read the pipeline and show it. */
  async show(): Promise<void> {
    const isRead = await this.#opener.attempt(async () => this.#draw(await this.doings.things.pipeline(this.kind, this.id)));
    if (!isRead) {
      this.#bar.update([]); // nothing can be done with what is not there
    }
  }

  dispose(): void {
    this.#bar.dispose();
    this.#graph.dispose();
    this.node.remove();
  }

  #draw(details: PipelineDetails): void {
    const { name, status, version, created_at: made, description, address } = details;
    this.#head.update(name, [status, version && `version ${version}`, `published ${moment(made)}`, address], description, {});
    this.#bar.update(pipelineActions({ ...details, kind: this.kind }, this.doings.workspace));
    const steps = new Map(details.steps.map(step => [step.n, step]));
    this.#graph.update({ steps, graph: details.graph, header: { now: 0, is_live: false } });
    const lists = [parameterTable(details), this.#versions(details), this.#schedules(details), this.#runs(details)];
    lists.forEach(([n, content], i) => {
      this.#pages[i + 1]?.replaceChildren(content);
      this.#tabs.setLabel(i + 1, `${TABS[i + 1]} (${n})`);
    });
  }

  #versions({ id, versions }: PipelineDetails): [number, Node] {
    const rows = [...versions].reverse().map(one => [
      one.version,
      own(one.name),
      one.status,
      String(one.steps.length),
      own(parameterWords(one.parameters)),
      one.is_default ? el('b', {}, 'default') : link('Make it the default', () => this.#do(chooseVersion(id, one.version)))
    ]);
    return [rows.length, table('Versions', ['Version', 'Pipeline', 'State', 'Steps', 'Parameters', 'Runs'].map(label => ({ label })), rows)];
  }

  #schedules({ schedules }: PipelineDetails): [number, Node] {
    const rows = schedules.map(one => [
      own(one.name),
      one.status,
      own(one.when),
      one.next_at === null ? '' : moment(one.next_at),
      own(one.error),
      link(one.status === 'Active' ? 'Disable' : 'Enable', () => this.#do(turn('schedule', one)))
    ]);
    const columns = ['Schedule', 'State', 'When', 'Next', 'Problem', ''].map(label => ({ label }));
    return [rows.length, rows.length ? table('Schedules', columns, rows) : note('It does not run by itself. Schedule.create(…) makes it.')];
  }

  #runs({ runs }: PipelineDetails): [number, Node] {
    const rows = runs.map(({ id, experiment, status, created_at: made }) => [
      link(shortId(id), () => this.#opener.open(OPEN_RUN, { run: id })),
      own(experiment),
      statusWords(status),
      moment(made)
    ]);
    const columns = ['Run', 'Experiment', 'State', 'Submitted'].map(label => ({ label }));
    return [rows.length, rows.length ? table('Runs', columns, rows) : note('It has not run yet.')];
  }

  #do(action: { run(doings: Doings, values: Readonly<Record<string, string>>): Promise<string> }): void {
    void this.#opener.attempt(async () => {
      await action.run(this.doings, {});
      await this.show();
    });
  }
}

function parameterTable({ parameters }: PipelineDetails): [number, Node] {
  const rows = Object.entries(parameters).map(([name, value]) => [own(name), own(plain(value))]);
  return [rows.length, rows.length ? table('Parameters', [{ label: 'Parameter' }, { label: 'Default' }], rows) : note('It takes no parameters.')];
}

function parameterWords(parameters: PipelineDetails['parameters']): string {
  return Object.entries(parameters).map(([name, value]) => `${name} = ${plain(value)}`).join(', ');
}
