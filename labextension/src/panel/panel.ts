import { el, fill, messageOf, set, setText, show } from '../runview/dom';
import { sections } from './items';
import { Section, type ItemActions } from './section';
import type { Catalog, WorkspaceItem } from './types';

/** Where the panel's lists come from. */
export interface CatalogSource {
  workspaces(): Promise<WorkspaceItem[]>;
  catalog(workspace: string): Promise<Catalog>;
}

/** The side panel: a workspace, and what is in it. */
export class Panel {
  readonly node = el('div', { class: 'nbautoml nbautoml-panel' });
  private readonly choice = el('select', { 'aria-label': 'Workspace' });
  private readonly refresh = el('button', { type: 'button', title: 'Read the lists again' }, 'Refresh');
  private readonly message = el('p', { class: 'nba-message', role: 'status', hidden: '' });
  private readonly body = el('div', { class: 'nba-sections' });
  private readonly sections = new Map<string, Section>();
  private workspace = '';

  constructor(
    private readonly source: CatalogSource,
    private readonly actions: ItemActions
  ) {
    const head = el('div', { class: 'nba-panelhead' }, this.choice, this.refresh);
    this.node.append(head, this.message, this.body);
    this.refresh.addEventListener('click', () => void this.update());
    this.choice.addEventListener('change', () => {
      this.workspace = this.choice.value;
      void this.update();
    });
  }

  /** Root folder of the workspace that is shown. */
  get root(): string {
    return this.workspace;
  }

  /** Read what there is, and show it; what cannot be read is said here. */
  async update(): Promise<void> {
    try {
      this.drawChoice(await this.source.workspaces());
      if (!this.workspace) {
        this.say('No workspace has been opened yet. In a notebook: Workspace.from_config(), or a %%automl cell.');
        this.body.replaceChildren();
        this.sections.clear();
        return;
      }
      const asked = this.workspace;
      const catalog = await this.source.catalog(asked);
      if (asked === this.workspace) {
        this.draw(catalog);
        this.say('');
      }
    } catch (error) {
      this.say(messageOf(error));
    }
  }

  say(text: string): void {
    setText(this.message, text);
    show(this.message, text !== '');
  }

  private drawChoice(workspaces: readonly WorkspaceItem[]): void {
    if (!workspaces.some(({ root }) => root === this.workspace)) {
      this.workspace = workspaces[0]?.root ?? '';
    }
    fill(this.choice, workspaces.map(({ name, root }) => [root, name]), this.workspace);
    set(this.choice, { title: this.workspace });
    show(this.choice, workspaces.length > 0);
  }

  private draw(catalog: Catalog): void {
    for (const content of sections(catalog)) {
      let section = this.sections.get(content.name);
      if (!section) {
        section = new Section(content.name, this.actions);
        this.sections.set(content.name, section);
        this.body.append(section.node);
      }
      section.update(content);
    }
  }
}
