import type { DraftRequest, FieldValue, FormSpec, TableColumn, TableProfile } from './types';

export const LABEL = 'label_column_name';
export const TASK = 'task';
export const EXPERIMENT = 'experiment';
/** The part of a problem's `field` that is no setting. */
export const DATA = 'data';
export const COLUMNS = 'columns';

/** What a person has said so far; the parts of the form read it and are told when it changes. */
export class Draft {
  source = '';
  folder = '';
  table: TableProfile | null = null;
  readonly overrides = new Map<string, string>();
  readonly #values = new Map<string, FieldValue>();
  readonly #columnsByName = new Map<string, TableColumn>();
  readonly #listeners: (() => void)[] = [];

  /** Be told of each change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Begin with the values that the server suggests. */
  begin(form: FormSpec): void {
    for (const [name, value] of Object.entries(form.suggested)) {
      if (!this.#values.has(name)) {
        this.#values.set(name, typeof value === 'number' ? String(value) : value);
      }
    }
  }

  value(name: string): FieldValue | undefined {
    return this.#values.get(name);
  }

  text(name: string): string {
    const value = this.#values.get(name);
    return typeof value === 'string' ? value : '';
  }

  set(name: string, value: FieldValue): void {
    this.#values.set(name, value);
    if (name === LABEL) {
      // The task goes with the label; whoever knows better chooses another one afterwards.
      this.#values.set(TASK, this.label?.task ?? '');
      this.overrides.delete(this.text(LABEL));
    }
    this.changed();
  }

  /** Say what a column is; an empty word leaves it to the run. */
  override(column: string, purpose: string): void {
    if (purpose) {
      this.overrides.set(column, purpose);
    } else {
      this.overrides.delete(column);
    }
    this.changed();
  }

  /** Other data: what was said of the columns of the data before goes; limits stay. */
  take(source: string, table: TableProfile | null, columnFields: readonly string[]): void {
    this.source = source;
    this.table = table;
    this.overrides.clear();
    this.#columnsByName.clear();
    for (const column of table?.columns ?? []) {
      this.#columnsByName.set(column.name, column);
    }
    for (const name of columnFields) {
      this.#values.delete(name);
    }
    this.set(LABEL, table?.label.name ?? '');
  }

  /** The column that is predicted. */
  get label(): TableColumn | undefined {
    return this.#columnsByName.get(this.text(LABEL));
  }

  get task(): string {
    return this.text(TASK);
  }

  get columns(): readonly string[] {
    return [...this.#columnsByName.keys()];
  }

  /** The most frequent values of the label. */
  get classes(): readonly string[] {
    return this.label?.top.map(([value]) => value) ?? [];
  }

  /** What the server is asked. */
  request(): DraftRequest {
    const settings = Object.fromEntries([...this.#values].filter(([name]) => name !== EXPERIMENT));
    const columns = Object.fromEntries(this.overrides);
    return { source: this.source, folder: this.folder, form: { settings, columns, experiment: this.text(EXPERIMENT) } };
  }

  changed(): void {
    for (const listener of this.#listeners) {
      listener();
    }
  }
}
