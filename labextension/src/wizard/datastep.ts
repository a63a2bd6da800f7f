import { el, freshId, messageOf, on, say, set, show } from '../runview/dom';
import { bytes, count } from '../runview/format';
import { offer } from './controls';
import { Head } from './head';
import { sectionNode } from './section';
import type { TableProfile, WizardOptions } from './types';
import { upload, type Contents } from './upload';

/** What the first part asks of the form. */
export interface DataActions {
  /** Read this data; the promise ends when it is shown or has failed. */
  choose(source: string): Promise<void>;
  chooseWorkspace(root: string): Promise<void>;
  /** The server's folder into which a file is sent. */
  folder(): string;
}

const NEW = 'None yet: one is made in the folder of the notebook';

/** Step 1: a registered dataset, a file of the server, or a file of one's own. */
export class DataStep {
  readonly node = sectionNode('1. Data', 'data');
  readonly #workspace = el('select', { id: freshId('workspace') });
  readonly #choice = el('select', { id: freshId('data') });
  readonly #path = el('input', { type: 'text', id: freshId('path'), autocomplete: 'off', spellcheck: 'false' });
  readonly #read = el('button', {}, 'Read');
  readonly #file = el('input', { type: 'file', hidden: '', 'aria-hidden': 'true', tabindex: -1 });
  readonly #send = el('button', {}, 'Upload a file…');
  readonly #stop = el('button', { hidden: '' }, 'Stop the upload');
  readonly #message = el('p', { class: 'nba-status-line', role: 'status', hidden: '' });
  readonly #error = el('p', { class: 'nba-error', role: 'alert', id: freshId('error'), hidden: '' });
  readonly #head = new Head();
  #sending: AbortController | null = null;

  constructor(
    private readonly actions: DataActions,
    private readonly contents: Contents
  ) {
    set(this.#choice, { 'aria-describedby': this.#error.id });
    set(this.#path, { 'aria-describedby': this.#error.id, placeholder: 'folder/table.csv' });
    const other = el('span', { class: 'nba-control' }, this.#path, this.#read);
    const own = el('span', { class: 'nba-control' }, this.#send, this.#stop, this.#file);
    this.node.append(
      el(
        'div',
        { class: 'nba-fields' },
        line('Workspace', this.#workspace),
        line('Dataset or file', this.#choice),
        el('div', { class: 'nba-field' }, el('label', { for: this.#path.id }, 'Path of another file of the server'), other),
        el('div', { class: 'nba-field' }, el('span', {}, 'A file of yours'), own)
      ),
      this.#message,
      this.#error,
      this.#head.node
    );
    on(this.#workspace, 'change', () => void this.actions.chooseWorkspace(this.#workspace.value));
    on(this.#choice, 'change', () => void this.#choose(this.#choice.value));
    on(this.#read, 'click', () => void this.#choose(this.#typed()));
    on(this.#path, 'keydown', event => {
      if (event.key === 'Enter') {
        void this.#choose(this.#typed());
      }
    });
    on(this.#send, 'click', () => this.#file.click());
    on(this.#file, 'change', () => void this.#onFile());
    on(this.#stop, 'click', () => this.#sending?.abort());
  }

  /** Offer what the server has. */
  update(options: WizardOptions, source: string): void {
    const found = options.workspaces.map(({ name, root }) => [root, `${name} (${root})`] as const);
    offer(this.#workspace, [{ title: '', words: found }], found.length ? 'The one that the notebook finds' : NEW);
    this.#workspace.value = options.workspace?.root ?? '';
    const datasets = options.datasets.map(({ name, version, rows, columns }) => {
      const size = rows === null ? '' : ` · ${count(rows)} × ${count(columns ?? 0)}`;
      return [`dataset:${name}:${version}`, `${name} · version ${version}${size}`] as const;
    });
    const files = options.files.map(file => [`file:${file.path}`, `${file.path} · ${bytes(file.bytes)}`] as const);
    const groups = [
      { title: 'Registered datasets', words: datasets },
      { title: 'Files of the server', words: files }
    ];
    offer(this.#choice, groups.filter(({ words }) => words.length), 'Choose…');
    this.#choice.value = [...datasets, ...files].some(([value]) => value === source) ? source : '';
    set(this.#file, { accept: options.form.suffixes.join(',') });
  }

  /** Show the data that was read. */
  show(table: TableProfile | null): void {
    this.#head.update(table);
    this.say(table ? sizeOf(table) : '');
  }

  say(text: string): void {
    say(this.#message, text);
  }

  setProblem(text: string): void {
    say(this.#error, text);
  }

  focus(): void {
    this.#choice.focus();
  }

  dispose(): void {
    this.#sending?.abort();
  }

  #typed(): string {
    const path = this.#path.value.trim();
    return path ? `file:${path}` : '';
  }

  async #choose(source: string): Promise<void> {
    this.setProblem('');
    if (source) {
      this.say('Reading…');
      await this.actions.choose(source);
    }
  }

  async #onFile(): Promise<void> {
    const file = this.#file.files?.[0];
    if (!file) {
      return;
    }
    this.setProblem('');
    this.#sending = new AbortController();
    this.#setSending(true);
    const told = (done: number): void => this.say(`Uploading ${file.name}: ${bytes(done)} of ${bytes(file.size)}`);
    try {
      told(0);
      const path = await upload(file, this.actions.folder(), this.contents, told, this.#sending.signal);
      await this.#choose(`file:${path}`);
    } catch (error) {
      this.say('');
      this.setProblem(this.#sending.signal.aborted ? 'The upload was stopped.' : messageOf(error));
    }
    this.#setSending(false);
    this.#file.value = '';
  }

  #setSending(isSending: boolean): void {
    show(this.#stop, isSending);
    this.#send.disabled = isSending;
  }
}

function line(title: string, input: HTMLElement): HTMLElement {
  const label = el('label', { for: input.id }, title);
  return el('div', { class: 'nba-field' }, label, el('span', { class: 'nba-control' }, input));
}

function sizeOf(table: TableProfile): string {
  const seen = `${count(table.seen_rows)} rows`;
  const rows = table.rows === null ? `more than ${seen}` : `${count(table.rows)} rows`;
  const part = table.rows === table.seen_rows ? '' : `; what is shown is of the first ${seen}`;
  return `${table.name}: ${rows}, ${count(table.n_columns)} columns${part}.`;
}
