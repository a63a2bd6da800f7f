import { el, messageOf, set, setText, show } from '../runview/dom';
import { CopyBlock } from './block';
import { DriftView } from './drift';
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

/** One deployment: how it stands, its address, a line for a shell, a form to try it, its log. */
export class DeploymentCard {
  readonly node: HTMLElement;
  readonly #state = el('span', { class: 'nba-state', role: 'status' });
  readonly #models = el('span', { class: 'nba-muted' });
  readonly #error = el('p', { class: 'nba-problem', role: 'alert', hidden: '' });
  readonly #address = new CopyBlock('Address');
  readonly #curl = new CopyBlock('From a shell');
  readonly #code = new CopyBlock('From Python');
  readonly #keys: KeysView;
  readonly #drift: DriftView;
  readonly #form: TryForm;
  readonly #restart = el('button', { type: 'button' }, 'Restart');
  readonly #remove = el('button', { type: 'button' }, 'Delete');
  readonly #log = el('pre', { class: 'nba-deploylog', tabindex: 0, hidden: '', 'aria-label': 'Log' });
  readonly #logToggle = el('button', { type: 'button', 'aria-expanded': 'false' }, 'Show log');
  #timer: number | null = null;
  #isOver = false;

  constructor(
    readonly name: string,
    private readonly source: DeploymentSource,
    private readonly onRemoved: () => void = () => undefined
  ) {
    this.#keys = new KeysView(source);
    this.#drift = new DriftView(source);
    this.#form = new TryForm(source);
    const head = el('div', { class: 'nba-cardhead' }, el('h3', {}, name), this.#state, this.#models);
    const actions = el('div', { class: 'nba-cardactions' }, this.#logToggle, this.#restart, this.#remove);
    const blocks = [this.#address, this.#keys, this.#form, this.#curl, this.#code, this.#drift];
    this.node = el('article', { class: 'nba-deployment', 'aria-label': `Deployment ${name}` }, head, this.#error);
    this.node.append(...blocks.map(block => block.node), actions, this.#log);
    this.#restart.addEventListener('click', () => void this.#act(() => this.source.restart()));
    this.#remove.addEventListener('click', () => void this.#onRemove());
    this.#logToggle.addEventListener('click', () => void this.#toggleLog());
    void this.update();
  }

  /** Ask how it stands, and again after a while: soon, as long as something is going on. */
  async update(): Promise<void> {
    let next = SLOW_MS;
    try {
      const details = await this.source.get();
      this.#draw(details);
      next = details.is_settled ? SLOW_MS : FAST_MS;
      if (!this.#log.hidden) {
        setText(this.#log, (await this.source.log()).text);
      }
    } catch (error) {
      this.#fail(messageOf(error));
    }
    if (!this.#isOver) {
      this.#timer = window.setTimeout(() => this.#tick(), next);
    }
  }

  dispose(): void {
    this.#isOver = true;
    if (this.#timer !== null) {
      window.clearTimeout(this.#timer);
    }
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
    setText(this.#error, text);
    show(this.#error, text !== '');
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
      this.#remove.addEventListener('blur', () => this.#askAgain(), { once: true });
      return;
    }
    this.#remove.disabled = true;
    try {
      await this.source.remove();
      this.dispose();
      this.node.remove();
      this.onRemoved();
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

  async #toggleLog(): Promise<void> {
    const isOpen = this.#log.hidden;
    show(this.#log, isOpen);
    set(this.#logToggle, { 'aria-expanded': String(isOpen) });
    setText(this.#logToggle, isOpen ? 'Hide log' : 'Show log');
    if (isOpen) {
      try {
        setText(this.#log, (await this.source.log()).text || 'Nothing yet.');
      } catch (error) {
        setText(this.#log, messageOf(error));
      }
    }
  }
}
