// Pointer and wheel on the timeline, told as zooms, pans, hovers and picks.

export interface PanZoomTarget {
  zoom(factor: number, x: number): void;
  pan(byPx: number): void;
  hover(x: number, y: number): void;
  leave(): void;
  pick(x: number, y: number): void;
}

/** Below this a press is a pick, beyond it a drag. */
const DRAG_PX = 4;

interface Press {
  readonly startX: number;
  lastX: number;
  isDrag: boolean;
}

export function listenPanZoom(canvas: HTMLCanvasElement, target: PanZoomTarget): void {
  const presses = new Map<number, Press>();
  const place = (event: MouseEvent): { x: number; y: number } => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  canvas.addEventListener(
    'wheel',
    event => {
      // With Alt the lanes scroll under the wheel, as pages do.
      if (event.altKey) return;
      event.preventDefault();
      const linePx = event.deltaMode === 1 ? 16 : 1;
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) target.pan(event.deltaX * linePx);
      else target.zoom(2 ** ((event.deltaY * linePx) / 320), place(event).x);
    },
    { passive: false },
  );
  canvas.addEventListener('pointerdown', event => {
    canvas.setPointerCapture(event.pointerId);
    presses.set(event.pointerId, { startX: event.clientX, lastX: event.clientX, isDrag: false });
  });
  canvas.addEventListener('pointermove', event => {
    const press = presses.get(event.pointerId);
    if (!press) return target.hover(place(event).x, place(event).y);
    press.isDrag ||= Math.abs(event.clientX - press.startX) > DRAG_PX;
    if (!press.isDrag) return;
    canvas.classList.add('dragging');
    drag(presses, press, event, { target, place });
  });
  const end = (event: PointerEvent): void => {
    const press = presses.get(event.pointerId);
    presses.delete(event.pointerId);
    canvas.classList.remove('dragging');
    if (press && !press.isDrag && event.type === 'pointerup')
      target.pick(place(event).x, place(event).y);
  };
  canvas.addEventListener('pointerup', end);
  canvas.addEventListener('pointercancel', end);
  canvas.addEventListener('pointerleave', () => target.leave());
}

interface DragTools {
  readonly target: PanZoomTarget;
  place(event: MouseEvent): { x: number; y: number };
}

/** One finger or the mouse pans; two fingers zoom about the other one. */
function drag(
  presses: ReadonlyMap<number, Press>,
  press: Press,
  event: PointerEvent,
  { target, place }: DragTools,
): void {
  const other = [...presses.values()].find(one => one !== press);
  const byPx = event.clientX - press.lastX;
  if (other) {
    const before = Math.max(20, Math.abs(press.lastX - other.lastX));
    const after = Math.max(20, Math.abs(event.clientX - other.lastX));
    target.zoom(before / after, place(event).x - (event.clientX - other.lastX));
  } else target.pan(-byPx);
  press.lastX = event.clientX;
}
