/** The few DOM calls of the view. Text only ever goes in as text. */

const SVG = 'http://www.w3.org/2000/svg';

type Attributes = Readonly<Record<string, string | number>>;
type Child = Node | string;

/** Make an element: `el('td', { class: 'n' }, '3')`. A button sends no form unless it is told to. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  set(node, tag === 'button' ? { type: 'button', ...attributes } : attributes);
  node.append(...children);
  return node;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const node = document.createElementNS(SVG, tag) as SVGElementTagNameMap[K];
  set(node, attributes);
  node.append(...children);
  return node;
}

/** Set attributes that differ from what is there. */
export function set(node: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    const text = String(value);
    if (node.getAttribute(name) !== text) {
      node.setAttribute(name, text);
    }
  }
}

/** Set a node's text when it differs, so that a selection in it lives on. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

export function show(node: Element, isShown: boolean): void {
  node.toggleAttribute('hidden', !isShown);
}

/** A box for words that filter a list. */
export function searchBox(label: string): HTMLInputElement {
  return el('input', { type: 'search', placeholder: label, 'aria-label': label });
}

/** A line that says what goes on, or what went wrong; it is there while it says something. */
export function statusLine(): HTMLElement {
  return el('p', { class: 'nba-muted', role: 'status', hidden: '' });
}

/** A control with a word before it. */
export function labelled(word: string, control: Element): HTMLElement {
  return el('label', {}, el('span', { class: 'nba-muted' }, `${word} `), control);
}

/** Say something in a place that is there only while there is something to say. */
export function say(node: Element, text: string): void {
  setText(node, text);
  show(node, text !== '');
}

/** Listen to what happens to a node. */
export function on<K extends keyof HTMLElementEventMap>(
  node: EventTarget,
  kind: K,
  listener: (event: HTMLElementEventMap[K]) => unknown,
  options?: AddEventListenerOptions | boolean
): void {
  node.addEventListener(kind, listener as (event: Event) => void, options);
}

/** Let a form be sent to a function, and left by Escape. Its keys are for its texts, and are no commands. */
export function onSend(form: HTMLFormElement, send: () => unknown, leave?: () => void): void {
  on(form, 'submit', event => {
    event.preventDefault();
    send();
  });
  on(form, 'keydown', event => {
    if (event.key === 'Escape') {
      leave?.();
    }
    event.stopPropagation();
  });
}

/** Make `parent` hold exactly these children in this order, moving as few as possible. */
export function arrange(parent: Element, children: readonly Element[]): void {
  let at = parent.firstElementChild;
  for (const child of children) {
    if (child === at) {
      at = at.nextElementSibling;
    } else {
      parent.insertBefore(child, at);
    }
  }
  while (at) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
}

let lastId = 0;

/** A fresh id for `aria-controls` and its like. */
export function freshId(prefix: string): string {
  lastId += 1;
  return `nbautoml-${prefix}-${lastId}`;
}

/** Offer values in a selection and choose one; a list that is the same stays, it may be open. */
export function fill(
  select: HTMLSelectElement,
  values: readonly (readonly [value: string, label: string])[],
  chosen: string = select.value
): void {
  const words = JSON.stringify(values);
  if (select.dataset.words !== words) {
    select.dataset.words = words;
    select.replaceChildren(...values.map(([value, label]) => el('option', { value }, label)));
  }
  if (values.some(([value]) => value === chosen)) {
    select.value = chosen;
  }
}

/** What an error says to a person. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Let a link lead to a file to keep; there is none where it has no address. */
export function offer(link: HTMLAnchorElement, address: string): void {
  set(link, { href: address });
  show(link, address !== '');
}
