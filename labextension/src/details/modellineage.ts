import { OPEN_DATASET, OPEN_DEPLOYMENT, OPEN_RUN } from '../panel/commandids';
import { el, on, svg } from '../runview/dom';
import type { Lineage, LineageBox } from './types';

/** Half of what lies between two layers: where a line turns. */
const TURN = 13;
const RADIUS = 6;
/** What a kind of box opens, and the argument that names it. */
const OPENS: Readonly<Record<string, readonly [command: string, name: string]>> = {
  dataset: [OPEN_DATASET, 'dataset'],
  run: [OPEN_RUN, 'run'],
  deployment: [OPEN_DEPLOYMENT, 'deployment']
};

type Open = (command: string, args: Readonly<Record<string, string>>) => void;

/** Where a model comes from and where it is used, from top to bottom. */
export function lineagePicture(lineage: Lineage, open: Open): HTMLElement {
  const { width, height, lines, boxes, text } = lineage;
  const picture = svg(
    'svg',
    { class: 'nba-lineage', role: 'group', 'aria-label': text, width, height, viewBox: `0 0 ${width} ${height}` },
    ...lines.flatMap(([from, to]) => line(lineage, boxes[from], boxes[to])),
    ...boxes.map(box => drawn(lineage, box, open))
  );
  return el('div', { class: 'nba-scroller' }, picture);
}

function line({ box_width: width, box_height: height }: Lineage, from?: LineageBox, to?: LineageBox): SVGPathElement[] {
  if (!from || !to) {
    return [];
  }
  const [x1, y1, x2] = [from.x + width / 2, from.y + height, to.x + width / 2];
  return [svg('path', { class: 'nba-lineageline', d: `M${x1} ${y1}V${to.y - TURN}H${x2}V${to.y}` })];
}

function drawn({ box_width: width, box_height: height }: Lineage, box: LineageBox, open: Open): SVGGElement {
  const { kind, id, x, y, title, note, text } = box;
  const middle = x + width / 2;
  const node = svg(
    'g',
    { class: `nba-lineagebox nba-is-${kind}` },
    svg('title', {}, text),
    svg('rect', { x, y, width, height, rx: RADIUS }),
    svg('text', { x: middle, y: y + 19 }, title),
    svg('text', { x: middle, y: y + 36, class: 'nba-lineagenote' }, note)
  );
  const [command, name] = OPENS[kind] ?? [];
  if (command && name && id) {
    lead(node, text, () => open(command, { [name]: id }));
  }
  return node;
}

/** Let a part of a picture be pressed, by a pointer and by keys. */
function lead(node: SVGGElement, text: string, open: () => void): void {
  node.setAttribute('role', 'link');
  node.setAttribute('tabindex', '0');
  node.setAttribute('aria-label', text);
  on(node, 'click', open);
  on(node, 'keydown', event => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      open();
    }
  });
}
