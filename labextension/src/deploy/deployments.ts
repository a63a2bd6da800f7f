import { el, freshId, messageOf, setText, show } from '../runview/dom';
import { DeploymentCard } from './card';
import type { Deployment, DeploySource } from './types';

/** The deployments of one model of a run, and the form that makes another one. */
export class ModelDeployments {
  /** The button that opens the form, for the place among the model's other buttons. */
  readonly open = el('button', { type: 'button' }, 'Deploy…');
  readonly node = el('div', { class: 'nba-deployments' });
  readonly #form = el('form', { class: 'nba-form', hidden: '' });
  readonly #name = el('input', { id: freshId('deployment'), required: '' });
  readonly #send = el('button', { type: 'submit' }, 'Deploy');
  readonly #message = el('span', { role: 'status' });
  readonly #cards = el('div');
  readonly #shown = new Map<string, DeploymentCard>();

  constructor(
    private readonly n: number,
    proposal: string,
    private readonly source: DeploySource
  ) {
    this.#name.value = proposal;
    const no = el('button', { type: 'button' }, 'Cancel');
    const label = el('label', { for: this.#name.id, class: 'nba-muted' }, 'Deploy as ');
    this.#form.append(el('span', {}, label, this.#name), this.#send, no, this.#message);
    this.node.append(this.#form, this.#cards);
    this.open.addEventListener('click', () => this.#show(true));
    no.addEventListener('click', () => this.#show(false));
    this.#form.addEventListener('submit', event => {
      event.preventDefault();
      void this.#deploy();
    });
    this.#form.addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        this.#show(false);
      }
      event.stopPropagation();
    });
    void this.#load();
  }

  /** What serves this model already; where that cannot be known, nothing is shown. */
  async #load(): Promise<void> {
    let known: Deployment[] = [];
    try {
      known = await this.source.deployed(this.n);
    } catch {
      return;
    }
    known.forEach(({ name }) => this.#add(name));
  }

  #add(name: string): void {
    if (!this.#shown.has(name)) {
      const card = new DeploymentCard(name, this.source.deployment(name), () => this.#shown.delete(name));
      this.#shown.set(name, card);
      this.#cards.prepend(card.node);
    }
  }

  #show(isShown: boolean): void {
    show(this.#form, isShown);
    show(this.open, !isShown);
    setText(this.#message, '');
    (isShown ? this.#name : this.open).focus();
  }

  async #deploy(): Promise<void> {
    this.#send.disabled = true;
    setText(this.#message, 'Deploying…');
    try {
      const { name } = await this.source.deploy(this.n, this.#name.value.trim());
      this.#show(false);
      this.#add(name);
    } catch (error) {
      setText(this.#message, messageOf(error));
      this.#name.focus();
    }
    this.#send.disabled = false;
  }
}
