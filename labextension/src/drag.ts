import { MimeData } from '@lumino/coreutils';
import { on } from './runview/dom';
import { Drag } from '@lumino/dragdrop';

const CELLS = 'application/vnd.jupyter.cells';
const DRAG_PX = 5;

/** Once the pointer has moved a little, code is dragged; a notebook takes it as a cell. */
export function dragCode(title: string, code: string, { clientX, clientY }: PointerEvent): void {
  const stop = (): void => {
    document.removeEventListener('pointermove', move, true);
    document.removeEventListener('pointerup', stop, true);
  };
  const move = (moved: PointerEvent): void => {
    if (Math.hypot(moved.clientX - clientX, moved.clientY - clientY) < DRAG_PX) {
      return;
    }
    stop();
    const mimeData = new MimeData();
    const cell = { cell_type: 'code', metadata: {}, source: code, outputs: [], execution_count: null };
    mimeData.setData(CELLS, [cell]);
    mimeData.setData('text/plain', code);
    const image = document.createElement('div');
    image.className = 'nbautoml-drag';
    image.textContent = title;
    // A notebook looks into what a drag comes from; this one comes from no notebook.
    const [source, action] = [{}, 'copy' as const];
    const dragged = new Drag({ mimeData, dragImage: image, source, supportedActions: action, proposedAction: action });
    void dragged.start(moved.clientX, moved.clientY).then(() => dragged.dispose());
  };
  on(document, 'pointermove', move, true);
  on(document, 'pointerup', stop, true);
}
