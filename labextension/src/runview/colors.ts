/** One colour a model family, the same in chart, legend and table. */

const PALETTE = [
  '#4e79a7', '#f28e2b', '#59a14f', '#e15759', '#76b7b2', '#b07aa1',
  '#edc948', '#9c755f', '#ff9da7', '#8a9a5b', '#3b9ebf', '#a05d8c'
] as const;

const ENSEMBLE = '#d4a017';

/** Hands out colours in the order in which families first appear. */
export class Colors {
  readonly #byFamily = new Map<string, string>();

  of(family: string): string {
    let color = this.#byFamily.get(family);
    if (!color) {
      const next = PALETTE[this.#byFamily.size % PALETTE.length] ?? PALETTE[0];
      color = /ensemble/i.test(family) ? ENSEMBLE : next;
      this.#byFamily.set(family, color);
    }
    return color;
  }
}
