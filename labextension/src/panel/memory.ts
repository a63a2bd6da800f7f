import type { Folds } from './fold';

/** A place that outlives the page; JupyterLab's state database is one. */
export interface Keeper {
  fetch(id: string): Promise<unknown>;
  save(id: string, value: { workspace: string; folded: string[] }): Promise<unknown>;
}

const ID = 'nbautoml:panel';

/** What the panel remembers from page to page: the workspace, and what is folded. */
export class Memory implements Folds {
  #folded = new Set<string>();
  #root = '';

  constructor(private readonly keeper: Keeper | null) {}

  /** Read what was kept; a page without it begins anew. */
  async load(): Promise<void> {
    const kept = (await this.keeper?.fetch(ID).catch(() => null)) as { workspace?: unknown; folded?: unknown } | null;
    this.#root = typeof kept?.workspace === 'string' ? kept.workspace : '';
    this.#folded = new Set(Array.isArray(kept?.folded) ? kept.folded.map(String) : []);
  }

  get workspace(): string {
    return this.#root;
  }

  set workspace(root: string) {
    if (root !== this.#root) {
      this.#root = root;
      this.#save();
    }
  }

  isFolded(key: string): boolean {
    return this.#folded.has(key);
  }

  setFolded(key: string, isFolded: boolean): void {
    if (isFolded) {
      this.#folded.add(key);
    } else {
      this.#folded.delete(key);
    }
    this.#save();
  }

  #save(): void {
    // A panel that cannot keep its folds still works.
    void this.keeper?.save(ID, { workspace: this.#root, folded: [...this.#folded] }).catch(() => undefined);
  }
}
