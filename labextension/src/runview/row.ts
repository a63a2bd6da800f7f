import type { Colors } from './colors';
import { el, set, setText, show } from './dom';
import { duration, score, spread, statusWords } from './format';
import { hasFailed, wasStopped } from './ranking';
import type { Range } from './scale';
import type { Trial } from './types';

export const N_COLUMNS = 5;

const WHY_ENSEMBLE =
  'Its score is of rows on which nothing of it was chosen. A single model may show a little more: ' +
  'it was picked by that score, which flatters it.';

/** How a trial stands among the others. */
export interface Standing {
  readonly isBest: boolean;
  readonly isSelected: boolean;
  readonly maximize: boolean;
  readonly range: Range;
}

/** One line of the leaderboard; its cells are made once and then only changed. */
export class Row {
  readonly node = el('tr', { tabindex: -1 });
  readonly #number = el('td', { class: 'nba-n' });
  readonly #square = el('i', { 'aria-hidden': 'true' });
  readonly #name = el('span');
  readonly #tag = el('b', { class: 'nba-tag', hidden: '' }, 'best');
  readonly #fill = el('s');
  readonly #bar = el('span', { class: 'nba-scorebar', 'aria-hidden': 'true' }, this.#fill);
  readonly #score = el('span', { class: 'nba-number' });
  readonly #std = el('span', { class: 'nba-muted nba-std' });
  readonly #why = el('span', { class: 'nba-why' });
  readonly #scoreCell = el('td', { class: 'nba-n' }, this.#bar, this.#score, this.#std, this.#why);
  readonly #seconds = el('td', { class: 'nba-n' });
  readonly #state = el('td', { class: 'nba-statecell' });
  #drawn: Trial | null = null;

  constructor(private readonly colors: Colors) {
    const pipeline = el('td', { class: 'nba-pipeline' }, this.#square, this.#name, this.#tag);
    this.node.append(this.#number, pipeline, this.#scoreCell, this.#seconds, this.#state);
  }

  update(trial: Trial, standing: Standing): void {
    if (this.#drawn !== trial) {
      this.#drawn = trial;
      this.#draw(trial);
    }
    this.#fill.style.width = `${(share(trial, standing) * 100).toFixed(0)}%`;
    show(this.#tag, standing.isBest);
    this.#tag.title = standing.isBest && trial.ensemble ? WHY_ENSEMBLE : '';
    this.node.classList.toggle('nba-top', standing.isBest);
    set(this.node, { 'aria-expanded': String(standing.isSelected) });
    this.node.classList.toggle('nba-selected', standing.isSelected);
  }

  #draw(trial: Trial): void {
    const failed = hasFailed(trial);
    set(this.node, { 'data-n': trial.n, 'data-status': trial.status });
    setText(this.#number, String(trial.n));
    setText(this.#name, trial.name);
    this.#square.style.background = this.colors.of(trial.family);
    this.node.classList.toggle('nba-bad', failed);
    this.node.classList.toggle('nba-faint', wasStopped(trial));
    const hasScore = typeof trial.score === 'number' && trial.status === 'Completed';
    show(this.#bar, hasScore);
    setText(this.#score, hasScore ? score(trial.score) : '');
    const std = hasScore ? spread(trial.std) : '';
    setText(this.#std, std ? `± ${std}` : '');
    show(this.#std, hasScore);
    setText(this.#why, hasScore ? '' : whyNoScore(trial));
    setText(this.#seconds, duration(trial.seconds));
    setText(this.#state, statusWords(trial.status));
    this.node.title = trial.error ?? '';
  }
}

/** What stands in place of a score: the folds so far while it runs, else what went wrong. */
export function whyNoScore(trial: Trial): string {
  const [done, total] = trial.folds ?? [0, 0];
  if (trial.status === 'Running') {
    return total > 1 ? `fold ${Math.min(done + 1, total)} of ${total}` : '';
  }
  const folds = total > 1 && done < total ? `${done} of ${total} folds finished` : '';
  return [trial.error ?? '', folds].filter(Boolean).join(' – ');
}

function share(trial: Trial, { maximize, range }: Standing): number {
  if (typeof trial.score !== 'number') {
    return 0;
  }
  const part = (trial.score - range.low) / (range.high - range.low || 1);
  return Math.min(1, Math.max(0.02, maximize ? part : 1 - part));
}
