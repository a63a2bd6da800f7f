/** Layers and lanes as pixels: along the page, or down a narrow one. No DOM. */

import type { Graph } from './types';

/** A box has its full width where there is room for all, and no less than the other where not. */
const WIDTHS = [172, 141] as const;
const HEIGHT = 66;
/** What lies between two layers along the page, with much room and little; down it; between two lanes. */
const GAPS = [52, 21] as const;
const BELOW = 34;
const BETWEEN_LANES = 14;
const MARGIN = 5;
const HEAD = 6;

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly boxWidth: number;
  readonly boxHeight: number;
  readonly boxes: readonly (readonly [x: number, y: number])[];
  /** A path each, with its head at the end. */
  readonly lines: readonly string[];
}

/** Where everything is, in so much room; `isDown` has the layers below each other. */
export function pixels({ places, lines }: Graph, isDown: boolean, room = Infinity): Picture {
  const layers = 1 + Math.max(0, ...places.map(place => place[0]));
  const lanes = 1 + Math.max(0, ...places.map(place => place[1]), ...lines.flatMap(line => line.slice(2)));
  const isTight = layers * (WIDTHS[0] + GAPS[0]) > room;
  const fair = (room - 2 * MARGIN) / (isDown ? lanes : layers) - (isDown ? BETWEEN_LANES : GAPS[1]);
  const width = Math.floor(Math.min(WIDTHS[0], Math.max(WIDTHS[1], fair)));
  const [along, across] = isDown ? [HEIGHT, width] : [width, HEIGHT];
  const step = along + (isDown ? BELOW : GAPS[isTight ? 1 : 0]);
  const lane = (at = 0): number => MARGIN + at * (across + BETWEEN_LANES);
  const layer = (at = 0): number => MARGIN + at * step;
  const point = (a: number, b: number): string => (isDown ? `${b} ${a}` : `${a} ${b}`);
  const path = (source: number, target: number, bends: readonly number[]): string => {
    const [[first = 0, start = 0] = [], [last = 0, end = 0] = []] = [places[source], places[target]];
    let [a, b] = [layer(first) + along, lane(start) + across / 2];
    let text = `M${point(a, b)}`;
    [...bends, end].forEach((at, i) => {
      const [next, side] = [layer(first + 1 + i), lane(at) + across / 2];
      const middle = (a + next) / 2;
      text += `C${point(middle, b)} ${point(middle, side)} ${point(next, side)}`;
      [a, b] = [next + along, side];
      if (i < bends.length) {
        text += `L${point(a, b)}`;
      }
    });
    const tip = layer(last);
    return `${text}M${point(tip - HEAD, b - HEAD / 2)}L${point(tip, b)}L${point(tip - HEAD, b + HEAD / 2)}`;
  };
  const size = [layer(layers - 1) + along + MARGIN, Math.ceil(lane(lanes - 1)) + across + MARGIN] as const;
  return {
    width: size[isDown ? 1 : 0],
    height: size[isDown ? 0 : 1],
    boxWidth: width,
    boxHeight: HEIGHT,
    boxes: places.map(([a, b]) => (isDown ? [lane(b), layer(a)] : [layer(a), lane(b)])),
    lines: lines.map(([source, target, ...bends]) => path(source, target, bends))
  };
}

/** The box that lies nearest in a direction, by its place in the list; null where there is none. */
export function nearest(boxes: Picture['boxes'], from: number, [dx, dy]: readonly [number, number]): number | null {
  const [x, y] = boxes[from] ?? [0, 0];
  let [best, least]: [number | null, number] = [null, Infinity];
  boxes.forEach(([a, b], i) => {
    const [ahead, aside] = [(a - x) * dx + (b - y) * dy, Math.abs((a - x) * dy) + Math.abs((b - y) * dx)];
    const far = ahead + 2 * aside;
    if (ahead > 0 && far < least) {
      [best, least] = [i, far];
    }
  });
  return best;
}
