import { el } from '../runview/dom';
import { WordForm } from '../runview/wordform';
import { DeploymentCard, type CardParts } from './card';
import type { Deployment, DeploySource } from './types';

/** The deployments of one model of a run, and the form that makes another one. */
export class ModelDeployments {
  /** The button that opens the form, for the place among the model's other buttons. */
  readonly open: HTMLElement;
  readonly node = el('div', { class: 'nba-deployments' });
  readonly #cards = el('div');
  readonly #shown = new Map<string, DeploymentCard>();

  constructor(
    private readonly n: number,
    proposal: string,
    private readonly source: DeploySource,
    private readonly partsOf?: CardParts
  ) {
    const form = new WordForm('Deploy', 'Deploying…', [['Deploy as', proposal]], async (asked = '') => {
      const { name } = await this.source.deploy(this.n, asked);
      this.#add(name);
      return '';
    });
    this.open = form.open;
    this.node.append(form.node, form.message, this.#cards);
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
      const card = new DeploymentCard(name, this.source.deployment(name), () => this.#shown.delete(name), this.partsOf);
      this.#shown.set(name, card);
      this.#cards.prepend(card.node);
    }
  }
}
