import type { Point } from './chartdata';
import { el, setText, show } from './dom';
import { duration, score, spread, statusWords } from './format';
import type { Trial } from './types';

const WIDTH = 250;

/** What a point of the chart stands for; it follows the point, inside the chart. */
export class Tooltip {
  readonly node = el('div', { class: 'nba-tooltip', role: 'presentation', hidden: '' });
  readonly #title = el('b');
  readonly #text = el('span');

  constructor() {
    this.node.append(this.#title, this.#text);
  }

  show(point: Point, chartWidth: number, metric: string): void {
    const { trial } = point;
    setText(this.#title, `${trial.n} · ${trial.name}`);
    setText(this.#text, tooltipText(trial, metric));
    const isRight = point.x > chartWidth - WIDTH;
    this.node.style.left = isRight ? '' : `${point.x + 12}px`;
    this.node.style.right = isRight ? `${chartWidth - point.x + 12}px` : '';
    this.node.style.top = `${Math.max(0, Math.min(point.y - 14, 130))}px`;
    show(this.node, true);
  }

  hide(): void {
    show(this.node, false);
  }
}

export function tooltipText(trial: Trial, metric: string): string {
  if (trial.status === 'Running') {
    const [done, total] = trial.folds ?? [0, 0];
    return total > 1 ? `running, ${done} of ${total} folds` : 'running';
  }
  const took = trial.seconds ? ` · ${duration(trial.seconds)}` : '';
  if (trial.status !== 'Completed') {
    return `${statusWords(trial.status)}${trial.error ? `: ${trial.error}` : ''}${took}`;
  }
  const std = spread(trial.std);
  return `${metric} ${score(trial.score)}${std ? ` ± ${std}` : ''}${took}`;
}
