import { el, messageOf } from '../runview/dom';
import { Checker } from './checker';
import { ColumnTable } from './columntable';
import type { Context } from './controls';
import { DataStep } from './datastep';
import { COLUMNS, DATA, Draft, LABEL, TASK } from './draft';
import type { Field } from './field';
import { FormBar } from './formbar';
import { reasons } from './reasons';
import { Review, type Target } from './review';
import { FormSection } from './section';
import type { DraftAnswer, TableProfile, WizardOptions, WizardSource } from './types';
import type { Contents } from './upload';

/** What the form needs of JupyterLab. */
export interface Host {
  readonly contents: Contents;
  /** The notebook that takes the code, and its folder; without one, the folder of a new one. */
  target(): { readonly notebook: Target | null; readonly folder: string };
  insert(cells: readonly string[]): Promise<void>;
  openRun(run: string, workspace: string): Promise<void>;
}

/** Kinds of fields whose values come from the data. */
const OF_THE_DATA = new Set(['column', 'columns', 'class']);

/** The form that makes a run: steps below each other, a preview, Insert and Run. */
export class WizardForm {
  readonly node = el('div', { class: 'nba-wizard', role: 'form', 'aria-label': 'New AutoML run' });
  readonly #draft = new Draft();
  readonly #data: DataStep;
  readonly #review = new Review(field => this.#focus(field));
  readonly #bar = new FormBar(() => this.#insert(), () => this.#run());
  readonly #steps = el('div');
  readonly #checker = new Checker(() => this.#ask(), answer => this.#take(answer));
  readonly #sections = new Map<string, FormSection>();
  #table: ColumnTable | null = null;
  #options: WizardOptions | null = null;
  #workspace = '';
  /** Whether Insert or Run was pressed: then all that is wrong is said beside its field. */
  #isAsked = false;

  constructor(
    private readonly source: WizardSource,
    private readonly host: Host
  ) {
    const chooseWorkspace = (root: string): Promise<void> => this.#chooseWorkspace(root);
    const folder = (): string => this.#draft.folder;
    this.#data = new DataStep({ choose: what => this.#choose(what), chooseWorkspace, folder }, host.contents);
    this.node.append(el('h2', {}, 'New AutoML run'), this.#steps, this.#bar.node);
    this.#draft.onChange(() => this.#onChange());
    this.#bar.setBusy(true);
    this.#bar.say('Loading…');
  }

  /** Read what the server offers; begin with this data, where one is named. */
  async open(workspace: string, source = ''): Promise<void> {
    this.#workspace = workspace;
    this.#draft.folder = this.host.target().folder;
    await this.#load();
    if (this.#options && source) {
      await this.#choose(source);
    }
  }

  /** Another notebook is looked at: its folder decides how the code names things. */
  async follow(): Promise<void> {
    const { folder } = this.host.target();
    if (folder !== this.#draft.folder) {
      this.#draft.folder = folder;
      await this.#load();
    }
    this.#checker.schedule();
  }

  dispose(): void {
    this.#checker.dispose();
    this.#data.dispose();
  }

  async #load(): Promise<void> {
    try {
      this.#build(await this.source.options(this.#workspace, this.#draft.folder));
      this.#bar.say('');
    } catch (error) {
      this.#bar.say(messageOf(error));
    }
    this.#bar.setBusy(this.#options === null);
  }

  #build(options: WizardOptions): void {
    const isFirst = this.#options === null;
    this.#options = options;
    this.#workspace = options.workspace?.root ?? '';
    if (isFirst) {
      const { form } = options;
      this.#draft.begin(form);
      form.sections.forEach((spec, i) => this.#sections.set(spec.name, new FormSection(spec, i + 2, this.#draft)));
      this.#table = new ColumnTable(form, this.#draft);
      this.#sections.get(COLUMNS)?.node.append(this.#table.node);
      this.#sections.get('review')?.node.append(this.#review.node);
      this.#steps.append(this.#data.node, ...[...this.#sections.values()].map(section => section.node));
    }
    this.#data.update(options, this.#draft.source);
    this.#onChange();
  }

  async #chooseWorkspace(root: string): Promise<void> {
    this.#workspace = root;
    await this.#load();
  }

  /** Read data and show it; other data that is chosen meanwhile wins. */
  async #choose(source: string): Promise<void> {
    this.#setTable(source, null);
    this.#data.say('Reading…');
    try {
      const table = await this.source.data(this.#workspace, this.#draft.folder, source);
      if (this.#draft.source === source) {
        this.#setTable(source, table);
      }
    } catch (error) {
      if (this.#draft.source === source) {
        this.#data.show(null);
        this.#data.setProblem(messageOf(error));
      }
    }
  }

  #setTable(source: string, table: TableProfile | null): void {
    const specs = this.#options?.form.sections.flatMap(({ fields, more }) => [...fields, ...more]) ?? [];
    const names = specs.filter(({ kind }) => OF_THE_DATA.has(kind)).map(({ name }) => name);
    this.#draft.take(source, table, names);
    this.#data.setProblem('');
    this.#data.show(table);
    if (this.#options) {
      this.#data.update(this.#options, source);
    }
  }

  #onChange(): void {
    const context = this.#context();
    this.#sections.forEach(section => section.update(context));
    this.#table?.update();
    const why = reasons(this.#draft);
    this.#field(LABEL)?.setNote(why.label);
    this.#field(TASK)?.setNote(why.task);
    this.#checker.schedule();
  }

  #context(): Context {
    const draft = this.#draft;
    const options = this.#options;
    const task = draft.task || (options?.form.tasks[0] ?? '');
    const computes = options?.computes.map(({ name }) => name) ?? [];
    return { task, columns: draft.columns, classes: draft.classes, computes };
  }

  async #ask(): Promise<DraftAnswer | null> {
    if (!this.#draft.table) {
      return null;
    }
    try {
      return await this.source.code(this.#workspace, this.#draft.request());
    } catch (error) {
      this.#bar.say(messageOf(error));
      return null;
    }
  }

  #take(answer: DraftAnswer | null): void {
    this.#review.update(answer, this.host.target().notebook);
    const messages = new Map((answer?.problems ?? []).map(({ field, message }) => [field, message]));
    for (const field of this.#fields()) {
      field.setProblem(messages.get(field.name) ?? '', this.#isAsked);
    }
    this.#table?.setProblem(messages.get(COLUMNS) ?? '');
  }

  /** Whether the draft is right; else what is missing is shown. */
  async #isReady(): Promise<boolean> {
    this.#isAsked = true;
    if (!this.#draft.table) {
      this.#data.setProblem('Choose data to learn from.');
      this.#focus(DATA);
      return false;
    }
    this.#bar.say('');
    const answer = await this.#checker.now();
    const [first] = answer?.problems ?? [];
    if (first) {
      this.#bar.say(first.message);
      this.#focus(first.field);
    }
    return answer !== null && !first;
  }

  async #insert(): Promise<void> {
    if (await this.#isReady()) {
      await this.host.insert(this.#review.cells);
      this.#bar.say('Inserted.');
    }
  }

  async #run(): Promise<void> {
    if (await this.#isReady()) {
      this.#bar.say('Starting the run…');
      const started = await this.source.start(this.#workspace, this.#draft.request());
      await this.host.openRun(started.run_id, started.workspace);
      this.#bar.say(`Started ${started.run_id}.`);
    }
  }

  #fields(): Field[] {
    return [...this.#sections.values()].flatMap(section => section.fields);
  }

  #field(name: string): Field | undefined {
    return this.#fields().find(field => field.name === name);
  }

  #focus(field: string): void {
    if (field === DATA) {
      this.#data.focus();
    } else if (field === COLUMNS) {
      this.#table?.focus();
    } else {
      this.#field(field)?.focus();
    }
  }
}
