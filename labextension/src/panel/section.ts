import { arrange, el, freshId, set, setText, show } from '../runview/dom';
import type { Item, SectionContent } from './items';

/** What the panel can do with a line. */
export interface ItemActions {
  /** Open what belongs to it in the main area. */
  open(item: Item): void;
  /** Put its code into the notebook. */
  insert(item: Item): void;
  /** Begin to drag its code. */
  drag(item: Item, event: PointerEvent): void;
}

/** One kind of things: a heading that folds, and a line for each of them. */
export class Section {
  readonly node = el('section', { class: 'nba-section' });
  private readonly toggle = el('button', { type: 'button', class: 'nba-sectionhead', 'aria-expanded': 'true' });
  private readonly count = el('span', { class: 'nba-muted' });
  private readonly list = el('ul', { class: 'nba-items', id: freshId('items') });
  private readonly empty = el('p', { class: 'nba-muted', hidden: '' });
  private readonly lines = new Map<string, Line>();

  constructor(
    name: string,
    private readonly actions: ItemActions
  ) {
    this.toggle.append(el('span', {}, name), this.count);
    set(this.toggle, { 'aria-controls': this.list.id });
    set(this.list, { 'aria-label': name });
    this.node.append(this.toggle, this.empty, this.list);
    this.toggle.addEventListener('click', () => this.fold());
  }

  update({ items, empty }: SectionContent): void {
    setText(this.count, String(items.length));
    setText(this.empty, empty);
    show(this.empty, items.length === 0 && this.isOpen);
    const nodes = items.map(item => this.line(item).node);
    const known = new Set(items.map(item => item.key));
    for (const key of [...this.lines.keys()].filter(key => !known.has(key))) {
      this.lines.delete(key);
    }
    arrange(this.list, nodes);
  }

  private get isOpen(): boolean {
    return this.toggle.getAttribute('aria-expanded') === 'true';
  }

  private fold(): void {
    const isOpen = !this.isOpen;
    set(this.toggle, { 'aria-expanded': String(isOpen) });
    show(this.list, isOpen);
    show(this.empty, isOpen && this.list.childElementCount === 0);
  }

  private line(item: Item): Line {
    let line = this.lines.get(item.key);
    if (!line) {
      line = new Line(this.actions);
      this.lines.set(item.key, line);
    }
    line.update(item);
    return line;
  }
}

class Line {
  readonly node = el('li', { class: 'nba-item' });
  private readonly dot = el('span', { class: 'nba-dot', 'aria-hidden': 'true', hidden: '' });
  private readonly title = el('span', { class: 'nba-itemtitle' });
  private readonly note = el('span', { class: 'nba-muted nba-itemnote' });
  private readonly main = el('button', { type: 'button', class: 'nba-itemmain' });
  private readonly insert = el('button', { type: 'button', class: 'nba-itemaction' }, 'Insert code');
  private item: Item | null = null;

  constructor(actions: ItemActions) {
    this.main.append(this.dot, this.title, this.note);
    this.node.append(this.main, this.insert);
    this.main.addEventListener('dblclick', () => this.with(item => actions.open(item)));
    this.main.addEventListener('keydown', event => {
      if (event.key === 'Enter') {
        event.preventDefault();
        this.with(item => actions.open(item));
      }
    });
    this.main.addEventListener('pointerdown', event => this.with(item => actions.drag(item, event)));
    this.insert.addEventListener('click', () => this.with(item => actions.insert(item)));
  }

  update(item: Item): void {
    this.item = item;
    setText(this.title, item.title);
    setText(this.note, item.note);
    show(this.dot, item.status !== undefined);
    set(this.dot, { 'data-status': item.status ?? '' });
    set(this.main, { title: `${item.title}\n${item.note}` });
    set(this.insert, { 'aria-label': `Insert code for ${item.title}` });
  }

  private with(act: (item: Item) => void): void {
    if (this.item) {
      act(this.item);
    }
  }
}
