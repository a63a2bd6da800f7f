import type { Item } from './item';

export function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

/** Whether all words are somewhere in what is shown of an item. */
export function fits(item: Item, words: readonly string[]): boolean {
  const { title, note, more, group, key } = item;
  const text = [title, note, more, group, key].join('\n').toLowerCase();
  return words.every(word => text.includes(word));
}
