import { el, on, set, setText, show } from '../runview/dom';
import { Doer } from './doer';
import type { Action, Doings, Item } from './item';
import type { Menu } from './menu';

/** What lines need of the panel. */
export interface LineHost {
  readonly menu: Menu;
  doings(): Doings;
  /** Begin to drag a line's code. */
  drag(item: Item, event: PointerEvent): void;
  /** The lists may be others now. */
  changed(): void;
}

/** A thing of a section: what it is, a menu of what can be done with it, what came of that. */
export class Line {
  readonly node = el('li', { class: 'nba-item' });
  readonly #dot = el('span', { class: 'nba-dot', 'aria-hidden': 'true', hidden: '' });
  readonly #title = el('bdi', { class: 'nba-itemtitle' });
  readonly #note = el('span', { class: 'nba-muted nba-itemnote' });
  readonly #bar = el('span', { class: 'nba-itembar', 'aria-hidden': 'true', hidden: '' });
  readonly #main = el('button', { class: 'nba-itemmain' });
  readonly #insert = el('button', { class: 'nba-itemaction' }, 'Insert');
  readonly #more = el('button', { class: 'nba-itemaction nba-itemmore' }, '⋯');
  readonly #doer: Doer;

  constructor(
    private item: Item,
    private readonly host: LineHost
  ) {
    this.#doer = new Doer(() => host.doings(), () => host.changed(), () => this.#main.focus());
    this.#main.append(this.#dot, this.#title, this.#note, this.#bar);
    const buttons = el('span', { class: 'nba-itembuttons' }, this.#insert, this.#more);
    const row = el('div', { class: 'nba-itemrow' }, this.#main, buttons);
    this.node.append(row, this.#doer.ask.node, this.#doer.notice.node);
    set(this.#more, { 'aria-haspopup': 'menu', 'aria-expanded': 'false' });
    this.#listen(row);
    this.update(item);
  }

  update(item: Item): void {
    this.item = item;
    setText(this.#title, item.title);
    setText(this.#note, item.note);
    this.node.classList.toggle('nba-wrapped', item.isWrapped === true);
    show(this.#dot, item.status !== undefined);
    set(this.#dot, { 'data-status': item.status ?? '' });
    show(this.#bar, typeof item.progress === 'number');
    this.#bar.style.width = `${100 * Math.min(1, Math.max(0, item.progress ?? 0))}%`;
    set(this.#main, { title: [item.title, item.note, item.more].filter(Boolean).join('\n') });
    set(this.#insert, { 'aria-label': `Insert code for ${item.title}`, title: 'Insert code' });
    set(this.#more, { 'aria-label': `Actions for ${item.title}`, title: 'Actions' });
  }

  dispose(): void {
    this.#doer.notice.dispose();
  }

  #start(action: Action): void {
    this.#doer.start(action);
  }

  #listen(row: HTMLElement): void {
    on(this.#main, 'dblclick', () => this.#start(this.item.actions[0]));
    on(this.#main, 'pointerdown', event => {
      if (event.button === 0) {
        this.host.drag(this.item, event);
      }
    });
    on(this.#insert, 'click', () => this.#startLabelled('Insert code'));
    on(this.#more, 'click', () => this.#openMenu());
    on(row, 'contextmenu', event => {
      event.preventDefault();
      this.#openMenu();
    });
    on(this.#main, 'keydown', event => this.#onKey(event));
  }

  #onKey(event: KeyboardEvent): void {
    const byKey = this.item.actions.find(action => action.key === event.key);
    if (event.key === 'Enter') {
      this.#start(this.item.actions[0]);
    } else if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
      this.#openMenu();
    } else if (byKey) {
      this.#start(byKey);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #startLabelled(label: string): void {
    const action = this.item.actions.find(one => one.label === label);
    if (action) {
      this.#start(action);
    }
  }

  #openMenu(): void {
    const choices = this.item.actions.map(action => ({
      label: action.label,
      isDangerous: action.isDangerous === true,
      ...(action.key ? { hint: action.key } : {}),
      choose: () => this.#start(action)
    }));
    this.host.menu.toggle(this.#more, `Actions for ${this.item.title}`, choices);
  }
}
