import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Menu } from '../src/panel/menu';

let menu: Menu;
let opener: HTMLButtonElement;
let other: HTMLButtonElement;
let chosen: string[];

const entries = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('[role=menuitem]')];
const focused = (): string => document.activeElement?.querySelector('span')?.textContent ?? '';
const press = (key: string): void =>
  void document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));

function open(): void {
  const labels = ['Open', 'Insert code', 'Delete…'];
  menu.open(opener, 'Actions', labels.map(label => ({ label, hint: label === 'Delete…' ? 'Delete' : '', choose: () => chosen.push(label) })));
}

beforeEach(() => {
  menu = new Menu();
  chosen = [];
  opener = document.createElement('button');
  other = document.createElement('button');
  document.body.replaceChildren(opener, other);
  open();
});
afterEach(() => menu.close(false));

describe('a menu', () => {
  it('opens with its first entry in focus', () => {
    expect(entries().map(entry => entry.querySelector('span')?.textContent)).toEqual(['Open', 'Insert code', 'Delete…']);
    expect(focused()).toBe('Open');
    expect(opener.getAttribute('aria-expanded')).toBe('true');
    expect(entries()[2]?.getAttribute('aria-keyshortcuts')).toBe('Delete');
  });

  it('is walked by arrows, round its ends, and by letters', () => {
    const visited = ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowUp', 'Home', 'End', 'i', 'z'].map(key => {
      press(key);
      return focused();
    });
    expect(visited).toEqual(['Insert code', 'Delete…', 'Open', 'Delete…', 'Open', 'Delete…', 'Insert code', 'Insert code']);
  });

  it('gives the focus back when it is left by Escape', () => {
    press('Escape');
    expect(entries()).toEqual([]);
    expect(document.activeElement).toBe(opener);
    expect(opener.getAttribute('aria-expanded')).toBe('false');
  });

  it('does what is chosen, once it is closed', () => {
    entries()[1]?.click();
    expect(chosen).toEqual(['Insert code']);
    expect(entries()).toEqual([]);
  });

  it('closes when something else is pressed, and keeps open when it is pressed itself', () => {
    entries()[1]?.dispatchEvent(new Event('pointerdown', { bubbles: true }));
    expect(menu.isOpen).toBe(true);
    other.dispatchEvent(new Event('pointerdown', { bubbles: true }));
    expect(menu.isOpen).toBe(false);
  });

  it('closes by the button that opened it', () => {
    menu.toggle(opener, 'Actions', []);
    expect(menu.isOpen).toBe(false);
  });
});
