import { count, moment, plural, score } from '../format';
import type { Cell, Explanation, Label } from './types';

/** How an explanation was made, in a few sentences. */
export function summary(explanation: Explanation): string {
  const { how, explained_rows: rows, seconds, held_out: isHeldOut, scored_rows: scored, metric } = explanation;
  const sums = how === 'exact' ? "the model's own sums" : 'Shapley values by sampling';
  const parts = [
    rows ? `Contributions: ${sums}, for ${plural(rows, 'row')}.` : '',
    `Loss of ${metric.name}: over ${plural(scored, 'row')}${isHeldOut ? ' that the models were not fitted on' : ''}` +
      `${explanation.score === null ? '' : `, where it is ${score(explanation.score)}`}.`,
    `Made ${moment(explanation.made_at)} in ${count(Math.round(seconds * 10) / 10)} s.`,
    ...explanation.notes
  ];
  return parts.filter(Boolean).join(' ');
}

/** A number as short as it can be read: four significant digits. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return '–';
  }
  if (Number.isInteger(value) && Math.abs(value) < 1e6) {
    return String(value);
  }
  return String(Number(value.toPrecision(4)));
}

/** A number with its sign. */
export function signed(value: number | null): string {
  return value !== null && value > 0 ? `+${short(value)}` : short(value).replace('-', '−');
}

/** A cell or a label as text. */
export function cellText(cell: Cell | Label): string {
  if (cell === null) {
    return 'missing';
  }
  return typeof cell === 'number' ? short(cell) : String(cell);
}
