import { el } from '../runview/dom';
import type { Figure, FigureFormat, Plotter } from '../runview/plotter';

/** Sharp enough for a slide. */
const SCALE = 2;

/** Shows charts that the kernel has drawn as pictures. */
export class PicturePlotter implements Plotter {
  async draw(node: HTMLElement, figure: Figure): Promise<void> {
    // As an image no script of a picture ever runs.
    node.replaceChildren(el('img', { class: 'nba-picture', alt: '', src: address(figure.svg ?? '') }));
  }

  clear(node: HTMLElement): void {
    node.replaceChildren();
  }

  async save(node: HTMLElement, format: FigureFormat, name: string): Promise<void> {
    const image = node.querySelector('img');
    if (!image) {
      return;
    }
    const href = format === 'svg' ? image.src : await asPng(image);
    el('a', { href, download: `${name}.${format}` }).click();
  }
}

function address(svg: string): string {
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
}

async function asPng(image: HTMLImageElement): Promise<string> {
  await image.decode();
  const canvas = el('canvas', { width: image.naturalWidth * SCALE, height: image.naturalHeight * SCALE });
  const context = canvas.getContext('2d');
  if (!context) {
    throw new Error('This browser cannot draw pictures.');
  }
  context.scale(SCALE, SCALE);
  context.drawImage(image, 0, 0);
  return canvas.toDataURL('image/png');
}
