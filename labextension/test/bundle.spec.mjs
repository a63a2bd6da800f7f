import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { OURS } from '../ours.mjs';
import { compile } from '../closures.mjs';

const WIRE = ['runview/types', 'runview/logged/types', 'runview/explanation/types', 'deploy/types', 'runview/plotter'];

describe('the names that the bundle of the widget shortens', () => {
  it.each(WIRE)('are none of what is sent: %s', file => {
    const text = readFileSync(`src/${file}.ts`, 'utf8');
    const sent = new Set([...text.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, name]) => name));
    expect(OURS.filter(name => sent.has(name))).toEqual([]);
  });
});

describe('a class as a function', () => {
  const made = text => new Function(`${compile(text, 'a.ts').code.replace('export ', '')}; return (...given) => new A(...given);`)();

  it('has the members of the class, and hides what is private', () => {
    const a = made(`export class A {
      readonly list = [1];
      #n = 2;
      constructor(private readonly by: number, readonly name: string) { this.list.push(by + this.by); }
      get n(): number { return this.#n; }
      set n(n: number) { this.#n = n; }
      add(): number { return this.#sum(this.by); }
      async later(): Promise<this> { return this; }
      #sum(by: number): number { this.#n += by; return this.n; }
    }`)(5, 'x');
    expect(Object.keys(a).sort()).toEqual(['add', 'later', 'list', 'n', 'name']);
    expect([a.list, a.name, a.n, a.add(), a.n]).toEqual([[1, 10], 'x', 2, 7, 7]);
    a.n = 1;
    expect(a.add()).toBe(6);
    return expect(a.later()).resolves.toBe(a);
  });

  it('keeps what each was made with', () => {
    const make = made('class A { constructor(private readonly n: number) {} get(): number { return this.n; } }');
    const [one, two] = [make(1), make(2)];
    expect([one.get(), two.get()]).toEqual([1, 2]);
  });

  it('stays a class where it extends one', () => {
    expect(compile('class A extends Error { x = 1; }', 'a.ts').code).toContain('class A extends Error');
  });

  it.each([
    ['a static member', 'class A { static make() { return 1; } }'],
    ['a member of another object', 'class A { #n = 1; is(other: A) { return other.#n; } }'],
    ['a function with a this of its own', 'class A { go() { return function () { return 1; }; } }'],
    ['a constructor that returns', 'class A { constructor() { return; } }'],
    ['a name that hides a private parameter', 'class A { constructor(private n: number) { [1].map(n => n); } }']
  ])('is refused with %s', (_, text) => {
    expect(() => compile(text, 'a.ts')).toThrow('A cannot be written as a function');
  });
});
