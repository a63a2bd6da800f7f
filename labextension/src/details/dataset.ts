import { editWords, insertCode, unregister } from '../panel/actions';
import { datasetCode } from '../panel/code';
import { OPEN_MODEL, OPEN_RUN } from '../panel/commandids';
import type { Doings } from '../panel/item';
import { el } from '../runview/dom';
import { count, moment } from '../runview/format';
import { Tabs } from '../runview/tabs';
import { ActionBar } from './actionbar';
import { Content } from './content';
import { Head } from './head';
import { lineage } from './lineage';
import { Opener } from './opener';
import { link, own, table } from './table';
import type { DatasetDetails } from './types';

const VERSIONS_TAB = 2;

/** A dataset in the main area: its columns, first rows, versions, and where it comes from. */
export class DatasetView {
  readonly node = el('article', { class: 'nbautoml nbautoml-details', 'aria-label': 'Dataset' });
  readonly #head = new Head('Dataset', id => void this.show(id));
  readonly #bar: ActionBar;
  readonly #content: Content;
  readonly #versions = el('div');
  readonly #lineage = el('div', { class: 'nba-lineage' });
  readonly #tabs: Tabs;
  readonly #opener: Opener;

  constructor(
    private id: string,
    private readonly doings: Doings
  ) {
    const { things } = doings;
    this.#bar = new ActionBar(doings, () => void this.show(this.id));
    this.#content = new Content(one => things.content(one));
    this.#tabs = new Tabs([
      { label: 'Columns', panel: this.#content.columns },
      { label: 'First rows', panel: this.#content.rows },
      { label: 'Versions', panel: this.#versions },
      { label: 'Lineage', panel: this.#lineage }
    ]);
    this.#opener = new Opener(doings);
    this.node.append(this.#head.node, this.#bar.node, this.#opener.node, this.#tabs.node);
  }

  /** Read a version and show it. */
  async show(id: string): Promise<void> {
    this.id = id;
    await this.#opener.attempt(async () => {
      const dataset = await this.doings.things.dataset(id);
      if (id === this.id) {
        this.#draw(dataset);
      }
    });
  }

  dispose(): void {
    this.#bar.dispose();
    this.node.remove();
  }

  #draw(dataset: DatasetDetails): void {
    const { id, name, version, description, tags } = dataset;
    const size = dataset.rows === null ? '' : `${count(dataset.rows)} rows × ${count(dataset.columns ?? 0)} columns`;
    const facts = [size, `registered ${moment(dataset.created_at)}`, `content ${dataset.fingerprint.slice(0, 12)}`];
    this.#head.update(name || id, facts, description, tags);
    this.#head.setVersions(name ? dataset.versions.map(one => [one.id, String(one.version)]) : [], id);
    const { workspace } = this.doings;
    this.#bar.update(
      name
        ? [
            insertCode(datasetCode(workspace, name, version)),
            editWords(dataset, ({ things }, words) => things.changeDataset(id, words)),
            unregister(id, name)
          ]
        : []
    );
    this.#content.update(id);
    this.#versions.replaceChildren(this.#versionTable(dataset));
    this.#lineage.replaceChildren(
      ...lineage(dataset, {
        openRun: run => this.#opener.open(OPEN_RUN, { run }),
        openModel: model => this.#opener.open(OPEN_MODEL, { model })
      })
    );
    this.#tabs.setLabel(VERSIONS_TAB, `Versions (${dataset.versions.length})`);
  }

  #versionTable({ id, versions }: DatasetDetails): HTMLElement {
    const columns = [
      { label: 'Version' },
      { label: 'Rows', isNumber: true },
      { label: 'Columns', isNumber: true },
      { label: 'Registered' },
      { label: 'Description' }
    ];
    const rows = versions.map(one => [
      one.id === id ? el('b', {}, String(one.version)) : link(String(one.version), () => void this.show(one.id)),
      one.rows === null ? '' : count(one.rows),
      one.columns === null ? '' : count(one.columns),
      moment(one.created_at),
      own(one.description)
    ]);
    return table('Versions', columns, rows);
  }
}
