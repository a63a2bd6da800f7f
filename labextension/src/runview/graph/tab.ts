import { el, show } from '../dom';
import type { LeadPart } from '../logged/view';
import type { Header } from '../types';
import { StepCard, type CardHost } from './card';
import { GraphPicture } from './picture';
import type { Graph, Step } from './types';

/** As much of a run's state as is drawn. */
interface Drawn {
  readonly steps: ReadonlyMap<number, Step>;
  readonly graph?: Graph | undefined;
  readonly header: Pick<Header, 'now' | 'is_live'>;
}

/** The first tab of a pipeline's run: its graph, and the step that is chosen in it. */
export class GraphTab implements LeadPart {
  readonly label = 'Graph';
  readonly node = el('section');
  readonly #picture = new GraphPicture(at => this.#choose(at === this.#chosen ? -1 : at));
  readonly #hint = el('p', { class: 'nba-muted' }, 'Choose a step to see what it reads, writes and says.');
  #state: Drawn | null = null;
  #card: StepCard | null = null;
  #chosen = -1;
  #isConnected = false;

  /** `now` is the time on the server's clock. */
  constructor(
    private readonly now: () => number,
    private readonly host: Omit<CardHost, 'name'>
  ) {
    this.node.append(this.#picture.node, this.#hint);
  }

  update(state: Drawn): void {
    this.#state = state;
    this.#draw(this.now());
  }

  tick(): void {
    this.#draw(this.now());
  }

  setConnected(isConnected: boolean): void {
    this.#isConnected = isConnected;
    this.#draw(this.#state?.header.now ?? 0);
  }

  dispose(): void {
    this.#picture.dispose();
    this.#card?.dispose();
  }

  #choose(at: number): void {
    this.#card?.dispose();
    this.#card = null;
    const step = this.#steps()[at];
    if (step) {
      const name = (n: number): string => this.#state?.steps.get(n)?.name ?? String(n);
      this.#card = new StepCard(step, { ...this.host, name }, () => {
        this.#choose(-1);
        this.#picture.focus(at);
      });
      this.node.append(this.#card.node);
    }
    this.#chosen = at;
    this.#picture.select(at);
    this.#draw(this.now());
  }

  #steps(): Step[] {
    return [...(this.#state?.steps.values() ?? [])];
  }

  #draw(now: number): void {
    const { graph, header } = this.#state ?? {};
    const steps = this.#steps();
    const moment = header?.is_live && this.#isConnected ? now : (header?.now ?? now);
    if (graph) {
      this.#picture.update(steps, graph, moment);
    }
    const step = steps[this.#chosen];
    if (step) {
      this.#card?.update(step, moment, this.#isConnected);
    }
    show(this.#hint, this.#card === null && steps.length > 0);
  }
}
