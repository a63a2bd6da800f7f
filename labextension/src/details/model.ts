import { deleteVersion, editWords, insertCode, openBy, saveFrom } from '../panel/actions';
import { modelCode } from '../panel/code';
import { OPEN_RUN } from '../panel/commandids';
import type { Action, Doings } from '../panel/item';
import { el } from '../runview/dom';
import { bytes, moment, score, shortId } from '../runview/format';
import { Tabs } from '../runview/tabs';
import { ActionBar } from './actionbar';
import { Head } from './head';
import { lineagePicture } from './modellineage';
import { metricsPage, schemaPage } from './modelpages';
import { Opener } from './opener';
import { link, note, own, table } from './table';
import { formatTags } from './tags';
import type { ModelDetails, ModelVersionDetails, ModelVersionItem } from './types';

/** A registered model in the main area: its versions, and what each is made of. */
export class ModelView {
  readonly node = el('article', { class: 'nbautoml nbautoml-details', 'aria-label': 'Model' });
  readonly #head = new Head('Model', value => void this.show(Number(value)));
  readonly #bar: ActionBar;
  readonly #opener: Opener;
  readonly #versions = el('div');
  readonly #files = el('div');
  readonly #metrics = el('div');
  readonly #schema = el('div');
  readonly #lineage = el('div');
  readonly #tabs: Tabs;
  #version: number | null = null;

  constructor(
    private readonly name: string,
    private readonly doings: Doings
  ) {
    this.#bar = new ActionBar(doings, () => void this.show(this.#version));
    this.#opener = new Opener(doings);
    this.#tabs = new Tabs([
      { label: 'Versions', panel: this.#versions },
      { label: 'Files', panel: this.#files },
      { label: 'Metrics', panel: this.#metrics },
      { label: 'Columns', panel: this.#schema },
      { label: 'Lineage', panel: this.#lineage }
    ]);
    this.node.append(this.#head.node, this.#bar.node, this.#opener.node, this.#tabs.node);
  }

  /** Read the model and show a version; null, and one that is gone, is the newest. */
  async show(wanted: number | null): Promise<void> {
    this.#version = wanted;
    const isRead = await this.#opener.attempt(async () => {
      const model = await this.doings.things.model(this.name);
      const known = model.versions.map(({ version }) => version);
      const version = wanted !== null && known.includes(wanted) ? wanted : (known[0] ?? 0);
      const details = await this.doings.things.modelVersion(this.name, version);
      if (this.#version === wanted) {
        this.#version = version;
        this.#draw(model, details);
      }
    });
    if (!isRead) {
      this.#bar.update([]); // nothing can be done with what is not there
    }
  }

  dispose(): void {
    this.#bar.dispose();
    this.node.remove();
  }

  #draw(model: ModelDetails, details: ModelVersionDetails): void {
    const { name, version, description, tags, framework } = details;
    const made = details.run_id ? `made by ${shortId(details.parent_id ?? details.run_id)}` : 'from a file';
    const facts = [...standing(details), `registered ${moment(details.created_at)}`, made, scoreOf(details), framework];
    this.#head.update(name, facts, description, tags);
    this.#head.setVersions(model.versions.map(one => [String(one.version), String(one.version)]), String(version));
    this.#bar.update(this.#actions(details));
    this.#versions.replaceChildren(this.#versionTable(model));
    this.#files.replaceChildren(this.#fileTable(details));
    this.#metrics.replaceChildren(metricsPage(details));
    this.#schema.replaceChildren(...schemaPage(details));
    this.#lineage.replaceChildren(lineagePicture(details.lineage, (command, args) => this.#opener.open(command, args)));
    this.#tabs.setLabel(0, `Versions (${model.versions.length})`);
  }

  #actions(details: ModelVersionDetails): Action[] {
    const { name, version, parent_id: run } = details;
    return [
      insertCode(modelCode(this.doings.workspace, name, version, details.run_id !== null)),
      saveFrom('Download', ({ things }) => things.archive(name, version)),
      ...(run ? [openBy('Open its run', OPEN_RUN, { run })] : []),
      editWords(details, ({ things }, words) => things.changeModel(name, version, words)),
      deleteVersion(name, version)
    ];
  }

  #versionTable({ versions }: ModelDetails): HTMLElement {
    const columns = [
      { label: 'Version' },
      { label: 'Stage' },
      { label: 'Registered' },
      { label: 'Score', isNumber: true },
      { label: 'Run' },
      { label: 'Description' },
      { label: 'Tags' }
    ];
    const rows = versions.map(one => {
      const run = one.parent_id;
      return [
        one.version === this.#version ? el('b', {}, String(one.version)) : link(String(one.version), () => void this.show(one.version)),
        own(standing(one).join(', ')),
        moment(one.created_at),
        scoreOf(one),
        run ? link(shortId(run), () => this.#opener.open(OPEN_RUN, { run })) : (one.run_id ?? 'from a file'),
        own(one.description),
        own(formatTags(one.tags).replace(/\n/g, ', '))
      ];
    });
    return table('Versions', columns, rows);
  }

  #fileTable({ name, version, files }: ModelVersionDetails): HTMLElement {
    if (!files.length) {
      return note('This version has no files.');
    }
    const rows = files.map(file => {
      const address = this.doings.things.modelFile(name, version, file.name);
      return [el('a', { href: address, download: '' }, own(file.name)), bytes(file.size_bytes)];
    });
    return table('Files', [{ label: 'File' }, { label: 'Size', isNumber: true }], rows);
  }
}

/** Its stage where it has one, and its aliases. */
function standing({ stage, aliases }: ModelVersionItem): string[] {
  return stage === 'None' ? [...aliases] : [stage, ...aliases];
}

function scoreOf({ metric, score: value }: ModelVersionItem): string {
  return metric === null || value === null ? '' : `${metric} ${score(value)}`;
}
