import { el, fill, freshId, on, setText, show } from '../runview/dom';

/** The top of a view: what it shows, which version, and the words people wrote about it. */
export class Head {
  readonly node = el('header', { class: 'nba-detailshead' });
  readonly #name = el('h2');
  readonly #version = el('select', { id: freshId('version') });
  readonly #chooser: HTMLElement;
  readonly #facts = el('p', { class: 'nba-muted' });
  readonly #description = el('p', { class: 'nba-description', dir: 'auto' });
  readonly #tags = el('ul', { class: 'nba-tags', 'aria-label': 'Tags' });

  constructor(kind: string, onVersion: (value: string) => void) {
    this.#name.dir = 'auto';
    this.#chooser = el('span', {}, el('label', { for: this.#version.id, class: 'nba-muted' }, 'Version '), this.#version);
    const title = el('div', { class: 'nba-detailstitle' }, el('span', { class: 'nba-kind' }, kind), this.#name, this.#chooser);
    this.node.append(title, this.#facts, this.#description, this.#tags);
    on(this.#version, 'change', () => onVersion(this.#version.value));
  }

  /** `versions` are values and labels; the chosen value is the one that is shown. */
  setVersions(versions: readonly (readonly [string, string])[], chosen: string): void {
    fill(this.#version, versions, chosen);
    show(this.#chooser, versions.length > 0);
  }

  update(name: string, facts: readonly string[], description: string, tags: Readonly<Record<string, string>>): void {
    setText(this.#name, name);
    setText(this.#facts, facts.filter(Boolean).join(' · '));
    setText(this.#description, description);
    show(this.#description, description !== '');
    this.#tags.replaceChildren(
      ...Object.entries(tags).map(([key, value]) => el('li', {}, el('bdi', {}, value ? `${key}: ${value}` : key)))
    );
    show(this.#tags, Object.keys(tags).length > 0);
  }
}
