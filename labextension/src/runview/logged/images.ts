import { arrange, el, show } from '../dom';
import type { Logged, LoggedSource, Picture } from './types';
import type { LoggedPart } from './view';

/** The pictures that were logged; a click saves one. */
export class Images implements LoggedPart {
  readonly label = 'Images';
  readonly node = el('section');
  readonly #none = el('p', { class: 'nba-muted' }, 'No picture is logged yet. A script logs one with run.log_image.');
  readonly #grid = el('div', { class: 'nba-images' });
  readonly #drawn = new Map<string, HTMLElement>();

  constructor(private readonly source: LoggedSource) {
    this.node.append(this.#none, this.#grid);
  }

  count({ images }: Logged): number {
    return images.length;
  }

  update({ images }: Logged): void {
    show(this.#none, !images.length);
    arrange(this.#grid, images.map(picture => this.#draw(picture)));
  }

  #draw({ name, file }: Picture): HTMLElement {
    const known = this.#drawn.get(file);
    if (known) {
      return known;
    }
    const src = this.source.stored(file);
    const image = el('img', { src, alt: name, loading: 'lazy' });
    const link = el('a', { href: src, download: '', title: `Save ${file}` }, image);
    const node = el('figure', {}, el('figcaption', {}, name), link);
    this.#drawn.set(file, node);
    return node;
  }
}
