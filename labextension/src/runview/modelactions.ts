import { el, freshId, messageOf, offer, setText, show } from './dom';
import type { RunExtras } from './extras';
import type { ModelVersion } from './types';

/** What can be done with a model. */
export interface ModelSource {
  register(n: number, name: string, description: string): Promise<ModelVersion>;
  /** Address of all that a model is made of, as one file. */
  archive(n: number): string;
}

/** Register, download and deploy, for one finished model. */
export class ModelActions {
  readonly node = el('div');
  readonly #open = el('button', { type: 'button' }, 'Register…');
  readonly #form = el('form', { class: 'nba-form', hidden: '' });
  readonly #name: HTMLInputElement;
  readonly #description: HTMLInputElement;
  readonly #send = el('button', { type: 'submit' }, 'Register');
  readonly #message = el('span', { role: 'status' });

  constructor(
    private readonly n: number,
    proposal: string,
    private readonly source: ModelSource,
    extras: RunExtras = {}
  ) {
    this.#name = field('Name', proposal);
    this.#description = field('Description', '');
    this.#name.required = true;
    const no = el('button', { type: 'button' }, 'Cancel');
    this.#form.append(label(this.#name), label(this.#description), this.#send, no);
    const download = el('a', { class: 'nba-button', download: '' }, 'Download model');
    offer(download, source.archive(n));
    const more = extras.deployments?.(n, proposal);
    const buttons = el('div', { class: 'nba-actions' }, this.#open, download);
    buttons.append(...(more ? [more.open] : []), this.#form, this.#message);
    this.node.append(buttons, ...(more ? [more.node] : []));
    this.#open.addEventListener('click', () => this.#show(true));
    no.addEventListener('click', () => this.#show(false));
    this.#form.addEventListener('submit', event => {
      event.preventDefault();
      void this.#register();
    });
    this.#form.addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        this.#show(false);
      }
      event.stopPropagation();
    });
  }

  #show(isShown: boolean): void {
    show(this.#form, isShown);
    show(this.#open, !isShown);
    (isShown ? this.#name : this.#open).focus();
  }

  async #register(): Promise<void> {
    this.#send.disabled = true;
    setText(this.#message, 'Registering…');
    try {
      const { name, version } = await this.source.register(this.n, this.#name.value, this.#description.value);
      setText(this.#message, `Registered as ${name}, version ${version}.`);
      this.#show(false);
    } catch (error) {
      setText(this.#message, messageOf(error));
    }
    this.#send.disabled = false;
  }
}

function field(name: string, value: string): HTMLInputElement {
  const input = el('input', { id: freshId('field'), 'data-label': name });
  input.value = value;
  return input;
}

function label(input: HTMLInputElement): HTMLElement {
  return el('span', {}, el('label', { for: input.id, class: 'nba-muted' }, `${input.dataset.label ?? ''} `), input);
}
