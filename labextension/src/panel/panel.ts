import { el, fill, messageOf, on, say, set, setText, show } from '../runview/dom';
import type { Transport } from '../runview/transport';
import { fits, wordsOf } from './filter';
import type { Doings, Item } from './item';
import type { LineHost } from './line';
import { LiveRuns } from './live';
import type { Memory } from './memory';
import { Menu } from './menu';
import { Section } from './section';
import { SECTIONS } from './sections';
import { DEFAULTS, type PanelSettings } from './settings';
import type { Catalog, RunItem, WorkspaceItem } from './types';

/** Where the panel's lists come from. */
export interface CatalogSource {
  workspaces(): Promise<WorkspaceItem[]>;
  catalog(workspace: string, runs: number): Promise<Catalog>;
}

/** What the page does for the panel. */
export interface PanelHost extends Pick<Transport, 'watch'> {
  doings(workspace: string): Doings;
  drag(item: Item, event: PointerEvent): void;
  /** Open the form for a new run. */
  newRun(workspace: string): void;
}

const NO_WORKSPACE =
  'No workspace has been opened yet. In a notebook: Workspace.from_config(), or a %%automl cell.';
const STOPS = '.nba-sectionhead, .nba-grouphead, .nba-itemmain';

/** The side panel: a workspace, and what is in it. */
export class Panel implements LineHost {
  readonly node = el('div', { class: 'nbautoml nbautoml-panel' });
  readonly menu = new Menu();
  readonly #choice = el('select', { 'aria-label': 'Workspace' });
  readonly #refresh = el('button', { title: 'Read the lists again' }, 'Refresh');
  readonly #create = el('button', { class: 'nba-new', hidden: '' }, 'New run');
  readonly #filter = el('input', { type: 'search', placeholder: 'Filter', 'aria-label': 'Filter all sections' });
  readonly #message = el('p', { class: 'nba-message', role: 'status', hidden: '' });
  readonly #nothing = el('p', { class: 'nba-muted nba-nothing', role: 'status', hidden: '' });
  readonly #body = el('div', { class: 'nba-sections' });
  readonly #sections: ReadonlyMap<string, Section>;
  readonly #live: LiveRuns;
  /** Called with the seconds between two readings. */
  onPace: (seconds: number) => void = () => undefined;
  #settings: PanelSettings = DEFAULTS;
  #catalog: Catalog | null = null;
  #isVisible = false;

  constructor(
    private readonly source: CatalogSource,
    private readonly host: PanelHost,
    private readonly memory: Memory
  ) {
    this.#live = new LiveRuns(host, () => this.#draw());
    this.#sections = new Map(SECTIONS.map(kind => [kind.id, new Section(kind, this, memory)]));
    const head = el('div', { class: 'nba-panelhead' }, this.#choice, this.#refresh, this.#create);
    this.node.append(head, el('div', { class: 'nba-panelfilter' }, this.#filter), this.#message, this.#nothing, this.#body);
    this.#body.append(...[...this.#sections.values()].map(section => section.node));
    on(this.#refresh, 'click', () => void this.update());
    on(this.#create, 'click', () => this.host.newRun(this.root));
    on(this.#filter, 'input', () => this.#draw());
    on(this.#choice, 'change', () => this.#choose(this.#choice.value));
    on(this.#body, 'keydown', event => this.#onKey(event));
    this.#draw();
  }

  /** Root folder of the workspace that is shown. */
  get root(): string {
    return this.memory.workspace;
  }

  /** All that the workspace holds, whether the filter shows it or not. */
  get items(): Item[] {
    const catalog = this.#catalog;
    return catalog ? SECTIONS.flatMap(kind => kind.items(catalog, this.#live.headers)) : [];
  }

  get runs(): readonly RunItem[] {
    return this.#catalog?.runs ?? [];
  }

  doings(): Doings {
    return this.host.doings(this.root);
  }

  drag(item: Item, event: PointerEvent): void {
    this.host.drag(item, event);
  }

  changed(): void {
    void this.update();
  }

  configure(settings: PanelSettings): void {
    const isMore = settings.mostRuns !== this.#settings.mostRuns;
    this.#settings = settings;
    this.onPace(settings.pollSeconds);
    this.#draw();
    if (isMore && this.#catalog) {
      void this.update();
    }
  }

  /** Whether somebody can see it: live runs are followed only then. */
  setVisible(isVisible: boolean): void {
    this.#isVisible = isVisible;
    if (!isVisible) {
      this.menu.close(false);
    }
    this.#follow();
  }

  offerNewRun(isOffered: boolean): void {
    show(this.#create, isOffered);
  }

  /** Read what there is, and show it; what cannot be read is said here. Returns whether it could. */
  async update(): Promise<boolean> {
    try {
      this.#drawChoice(await this.source.workspaces());
      const asked = this.root;
      const catalog = asked ? await this.source.catalog(asked, this.#settings.mostRuns) : null;
      if (asked === this.root) {
        this.#catalog = catalog;
        this.#follow();
        this.#draw();
        this.#say(asked ? '' : NO_WORKSPACE);
      }
      return true;
    } catch (error) {
      this.#say(messageOf(error));
      return false;
    }
  }

  dispose(): void {
    this.menu.close(false);
    this.#live.follow('', []);
    for (const section of this.#sections.values()) {
      section.dispose();
    }
  }

  #choose(root: string): void {
    this.memory.workspace = root;
    this.#catalog = null;
    this.#follow();
    this.#draw();
    void this.update();
  }

  #say(text: string): void {
    say(this.#message, text);
  }

  #drawChoice(workspaces: readonly WorkspaceItem[]): void {
    if (!workspaces.some(({ root }) => root === this.root)) {
      this.memory.workspace = workspaces[0]?.root ?? '';
    }
    fill(this.#choice, workspaces.map(({ name, root }) => [root, name]), this.root);
    set(this.#choice, { title: this.root });
    show(this.#choice, workspaces.length > 0);
  }

  #follow(): void {
    const runs = this.#isVisible ? (this.#catalog?.runs ?? []) : [];
    this.#live.follow(this.root, runs.filter(run => run.is_live).map(run => run.id));
  }

  #draw(): void {
    const catalog = this.#catalog;
    const settings = this.#settings;
    const words = wordsOf(this.#filter.value);
    let nShown = 0;
    for (const kind of SECTIONS) {
      const section = this.#sections.get(kind.id);
      const all = catalog ? kind.items(catalog, this.#live.headers) : [];
      const items = all.filter(item => fits(item, words));
      const isShown = catalog !== null && settings.sections[kind.id] !== false;
      nShown += isShown ? items.length : 0;
      section?.update(items, all.length, words.length > 0);
      section?.setShown(isShown);
    }
    setText(this.#nothing, `Nothing here fits “${this.#filter.value.trim()}”.`);
    show(this.#nothing, catalog !== null && words.length > 0 && nShown === 0);
    show(this.#filter, catalog !== null);
  }

  /** Up and down go from line to line, over headings too. */
  #onKey(event: KeyboardEvent): void {
    const all = [...this.#body.querySelectorAll<HTMLElement>(STOPS)].filter(node => !node.closest('[hidden]'));
    const at = all.indexOf(event.target as HTMLElement);
    const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
    const step = steps[event.key];
    if (at >= 0 && step !== undefined) {
      all[step]?.focus();
      event.preventDefault();
      event.stopPropagation();
    }
  }
}
