import { arrange, el, set, setText, show } from '../runview/dom';
import { Fold, type Folds } from './fold';
import type { Item, SectionKind } from './item';
import { Line, type LineHost } from './line';

/** One kind of things: a heading that folds, and a line for each of them, maybe in groups. */
export class Section {
  readonly node = el('section', { class: 'nba-section' });
  readonly #body = el('div');
  readonly #fold: Fold;
  readonly #empty = el('p', { class: 'nba-muted', hidden: '' });
  readonly #groups = new Map<string, Group>();
  readonly #lines = new Map<string, Line>();
  #isShown = true;
  #hasFits = true;

  constructor(
    private readonly kind: SectionKind,
    private readonly host: LineHost,
    private readonly folds: Folds
  ) {
    this.#fold = new Fold(kind.name, this.#body, kind.id, folds);
    this.#fold.head.className = 'nba-sectionhead';
    setText(this.#empty, kind.empty);
    this.node.append(el('h3', {}, this.#fold.head), this.#body);
  }

  /** Whether the settings show it at all. */
  setShown(isShown: boolean): void {
    this.#isShown = isShown;
    show(this.node, isShown && this.#hasFits);
  }

  /** Show some of `nAll` items. */
  update(items: readonly Item[], nAll: number, isFiltered: boolean): void {
    const focused = this.#focusedKey();
    this.#fold.update(isFiltered ? `${items.length} of ${nAll}` : String(nAll), isFiltered);
    show(this.#empty, nAll === 0 && this.kind.empty !== '');
    this.#hasFits = !isFiltered || items.length > 0;
    show(this.node, this.#isShown && this.#hasFits);
    const names = [...new Set(items.map(item => item.group ?? ''))];
    for (const name of names) {
      const inside = items.filter(item => (item.group ?? '') === name);
      this.#group(name).update(inside.map(item => this.#line(item).node), isFiltered);
    }
    this.#forget(new Set(items.map(item => item.key)), new Set(names));
    arrange(this.#body, [this.#empty, ...names.map(name => this.#group(name).node)]);
    this.#keepFocus(focused);
  }

  dispose(): void {
    for (const line of this.#lines.values()) {
      line.dispose();
    }
  }

  #line(item: Item): Line {
    let line = this.#lines.get(item.key);
    if (line) {
      line.update(item);
    } else {
      line = new Line(item, this.host);
      this.#lines.set(item.key, line);
    }
    return line;
  }

  #group(name: string): Group {
    let group = this.#groups.get(name);
    if (!group) {
      group = new Group(name, this.kind, this.folds);
      this.#groups.set(name, group);
    }
    return group;
  }

  #forget(keys: ReadonlySet<string>, names: ReadonlySet<string>): void {
    for (const [key, line] of [...this.#lines].filter(([key]) => !keys.has(key))) {
      line.dispose();
      this.#lines.delete(key);
    }
    for (const name of [...this.#groups.keys()].filter(name => !names.has(name))) {
      this.#groups.delete(name);
    }
  }

  #focusedKey(): string | null {
    const found = [...this.#lines].find(([, line]) => line.node.contains(document.activeElement));
    return found?.[0] ?? null;
  }

  /** A line that is gone takes its focus along: it goes to the heading. */
  #keepFocus(key: string | null): void {
    if (key !== null && !this.#lines.has(key)) {
      this.#fold.head.focus();
    }
  }
}

/** The lines under one heading of a section; without a name there is no heading. */
class Group {
  readonly node = el('div', { class: 'nba-group' });
  readonly #list = el('ul', { class: 'nba-items' });
  readonly #fold: Fold | null;

  constructor(name: string, kind: SectionKind, folds: Folds) {
    set(this.#list, { 'aria-label': name ? `${kind.name}: ${name}` : kind.name });
    this.#fold = name ? new Fold(name, this.#list, `${kind.id}/${name}`, folds) : null;
    if (this.#fold) {
      this.#fold.head.className = 'nba-grouphead';
      this.node.append(el('h4', {}, this.#fold.head));
    }
    this.node.append(this.#list);
  }

  update(lines: readonly Element[], isFiltered: boolean): void {
    this.#fold?.update(String(lines.length), isFiltered);
    arrange(this.#list, lines);
  }
}
