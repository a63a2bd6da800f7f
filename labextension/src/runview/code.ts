import { CodeBlock } from './codeblock';
import type { Component } from './component';
import { el, messageOf, offer, say, setText, show, statusLine } from './dom';
import type { RunState } from './model';
import type { RunCode } from './types';

/** What the tab fetches. */
export interface CodeSource {
  code(): Promise<RunCode>;
  script(n: number): Promise<{ script: string }>;
  file(n: number, name: string): string;
}

const SCRIPT = 'outputs/generated_code/script.py';
const NOTEBOOK = 'outputs/generated_code/script_run_notebook.ipynb';

/** Python that runs the same again, that uses the model, and that trains it. */
export class CodeTab implements Component {
  readonly node = el('section', { class: 'nba-code' });
  readonly #message = statusLine();
  readonly #predict = new CodeBlock('Load the best model and predict');
  readonly #again = new CodeBlock('Start the same run again');
  readonly #script = new CodeBlock('Train this model yourself');
  readonly #which = el('p', { class: 'nba-muted' });
  readonly #links = el('p');
  readonly #training = el('section');
  #state: RunState | null = null;
  #isOpen = false;
  #hasRunCode = false;
  #chosen: number | null = null;
  #shown: number | null = null;

  constructor(private readonly source: CodeSource) {
    this.#training.append(this.#which, this.#script.node, this.#links);
    this.node.append(this.#message, this.#predict.node, this.#again.node, this.#training);
  }

  update(state: RunState): void {
    this.#state = state;
    if (this.#isOpen) {
      void this.#load();
    }
  }

  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    if (isOpen && this.#state) {
      this.update(this.#state);
    }
  }

  /** Show the code of one model; null is the best one. */
  select(n: number | null): void {
    this.#chosen = n;
    if (this.#state) {
      this.update(this.#state);
    }
  }

  async #load(): Promise<void> {
    try {
      if (!this.#hasRunCode) {
        this.#hasRunCode = true;
        const { again, predict } = await this.source.code();
        this.#again.setText(again);
        this.#predict.setText(predict);
      }
      await this.#loadScript();
      this.#say('');
    } catch (error) {
      this.#hasRunCode = this.#again.hasText;
      this.#say(messageOf(error));
    }
  }

  async #loadScript(): Promise<void> {
    const n = this.#chosen ?? this.#state?.header.best?.n ?? null;
    const trial = n === null ? undefined : this.#state?.trials.get(n);
    show(this.#training, trial?.status === 'Completed');
    if (n === null || trial?.status !== 'Completed' || n === this.#shown) {
      return;
    }
    this.#shown = n;
    setText(this.#which, `Iteration ${n}: ${trial.name}. Every choice of the run is a line of it.`);
    this.#script.setText('');
    this.#links.replaceChildren();
    try {
      const { script } = await this.source.script(n);
      if (this.#shown === n) {
        this.#script.setText(script);
        this.#links.append(this.#link(n, SCRIPT, 'Script'), ' ', this.#link(n, NOTEBOOK, 'Notebook'));
      }
    } catch (error) {
      if (this.#shown === n) {
        setText(this.#which, messageOf(error));
      }
    }
  }

  #link(n: number, name: string, label: string): HTMLAnchorElement {
    const link = el('a', { class: 'nba-button', download: '' }, label);
    offer(link, this.source.file(n, name));
    return link;
  }

  #say(text: string): void {
    say(this.#message, text);
  }
}
