import { own, table } from '../../details/table';
import { el, setText, show } from '../dom';
import { bytes, count } from '../format';
import type { Logged, LoggedSource } from './types';
import type { LoggedPart } from './view';

/** The files that are stored with the run, each to be saved. */
export class Outputs implements LoggedPart {
  readonly label = 'Outputs';
  readonly node = el('section');
  readonly #note = el('p', { class: 'nba-muted' });
  readonly #list = el('div');
  #words = '';

  constructor(private readonly source: LoggedSource) {
    this.node.append(this.#note, this.#list);
  }

  count({ n_files }: Logged): number {
    return n_files;
  }

  update({ files, n_files: total }: Logged): void {
    const more = total - files.length;
    setText(this.#note, !total ? 'No file is stored yet. A script puts files into ./outputs.' : more ? `and ${count(more)} more` : '');
    show(this.#note, !total || more > 0);
    const words = JSON.stringify(files);
    if (words === this.#words) {
      return;
    }
    this.#words = words;
    const rows = files.map(({ name, bytes: size }) => [
      el('a', { href: this.source.stored(name), download: '' }, own(name)),
      bytes(size)
    ]);
    this.#list.replaceChildren(...(rows.length ? [table('Files', [{ label: 'File' }, { label: 'Size', isNumber: true }], rows)] : []));
  }
}
