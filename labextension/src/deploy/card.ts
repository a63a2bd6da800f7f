import { CodeBlock } from '../runview/codeblock';
import { el, messageOf, on, say, set, setText, show } from '../runview/dom';
import { Timer } from '../runview/timer';
import { Disclosure } from './disclosure';
import { KeysView } from './keys';
import { TryForm } from './tryform';
import type { DeploymentDetails, DeploymentSource } from './types';

const FAST_MS = 700;
const SLOW_MS = 5000;

const WORDS: Readonly<Record<string, string>> = {
  Transitioning: 'Starting',
  Healthy: 'Healthy',
  Unhealthy: 'Not running',
  Failed: 'Failed',
  Unreachable: 'On another machine'
};

/** What a home adds to a card. */
export type CardParts = (source: DeploymentSource) => readonly { readonly node: Element }[];

/** One deployment: how it stands, its address, a line for a shell, a form to try it, its log. */
export class DeploymentCard {
  readonly node: HTMLElement;
  readonly #state = el('span', { class: 'nba-state', role: 'status' });
  readonly #models = el('span', { class: 'nba-muted' });
  readonly #error = el('p', { class: 'nba-problem', role: 'alert', hidden: '' });
  readonly #address = new CodeBlock('Address');
  readonly #curl = new CodeBlock('From a shell');
  readonly #code = new CodeBlock('From Python');
  readonly #keys: KeysView;
  readonly #form: TryForm;
  readonly #restart = el('button', {}, 'Restart');
  readonly #remove = el('button', {}, 'Delete');
  readonly #log = el('pre', { class: 'nba-deploylog', tabindex: 0, 'aria-label': 'Log' });
  readonly #logToggle = new Disclosure('log', this.#log, isOpen => isOpen && this.#showLog());
  readonly #timer = new Timer();
  #isOver = false;

  constructor(
    readonly name: string,
    private readonly source: DeploymentSource,
    private readonly onRemoved?: () => void,
    partsOf: CardParts = () => []
  ) {
    this.#keys = new KeysView(source);
    this.#form = new TryForm(source);
    const head = el('div', { class: 'nba-cardhead' }, el('h3', {}, name), this.#state, this.#models);
    const actions = el('div', { class: 'nba-cardactions' }, this.#logToggle.node, this.#restart, this.#remove);
    const blocks = [this.#address, this.#keys, this.#form, this.#curl, this.#code, ...partsOf(source)];
    this.node = el('article', { class: 'nba-deployment', 'aria-label': `Deployment ${name}` }, head, this.#error);
    this.node.append(...blocks.map(block => block.node), actions, this.#log);
    on(this.#restart, 'click', () => void this.#act(() => this.source.restart()));
    on(this.#remove, 'click', () => void this.#onRemove());
    void this.update();
  }

  /** Ask how it stands, and again after a while: soon, as long as something is going on. */
  async update(): Promise<void> {
    let next = SLOW_MS;
    try {
      const details = await this.source.get();
      this.#draw(details);
      next = details.is_settled ? SLOW_MS : FAST_MS;
      if (this.#logToggle.isOpen) {
        await this.#showLog();
      }
    } catch (error) {
      this.#fail(messageOf(error));
    }
    if (!this.#isOver) {
      this.#timer.start(() => this.#tick(), next);
    }
  }

  dispose(): void {
    this.#isOver = true;
    this.#timer.stop();
  }

  /** A card that was taken off the page asks no more. */
  #tick(): void {
    if (this.node.isConnected) {
      void this.update();
    } else {
      this.dispose();
    }
  }

  #draw(details: DeploymentDetails): void {
    setText(this.#state, WORDS[details.state] ?? details.state);
    set(this.#state, { 'data-state': details.state });
    const restarts = details.restarts ? ` · restarts: ${details.restarts}` : '';
    setText(this.#models, `${details.models.join(', ')}${restarts}`);
    this.#fail(details.error);
    this.#address.setText(details.address);
    this.#curl.setText(details.curl);
    this.#code.setText(details.code);
    show(this.#keys.node, details.needs_key);
    this.#form.offer(details.sample);
    this.#form.enable(details.state === 'Healthy' || details.state === 'Transitioning');
  }

  #fail(text: string): void {
    say(this.#error, text);
  }

  async #act(work: () => Promise<DeploymentDetails>): Promise<void> {
    this.#restart.disabled = true;
    try {
      this.#draw(await work());
    } catch (error) {
      this.#fail(messageOf(error));
    }
    this.#restart.disabled = false;
  }

  /** The first click asks, the second one does it. */
  async #onRemove(): Promise<void> {
    if (this.#remove.dataset.sure !== 'yes') {
      this.#remove.dataset.sure = 'yes';
      setText(this.#remove, 'Delete for good?');
      on(this.#remove, 'blur', () => this.#askAgain(), { once: true });
      return;
    }
    this.#remove.disabled = true;
    try {
      await this.source.remove();
      this.dispose();
      this.node.remove();
      this.onRemoved?.();
    } catch (error) {
      this.#remove.disabled = false;
      this.#askAgain();
      this.#fail(messageOf(error));
    }
  }

  #askAgain(): void {
    this.#remove.dataset.sure = '';
    setText(this.#remove, 'Delete');
  }

  async #showLog(): Promise<void> {
    try {
      setText(this.#log, (await this.source.log()).text || 'Nothing yet.');
    } catch (error) {
      setText(this.#log, messageOf(error));
    }
  }
}
