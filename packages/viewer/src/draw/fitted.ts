// Text cut to a width by measuring. Measured widths are kept: a picture asks for the same words
// sixty times a second.

export interface Fitted {
  readonly text: string;
  readonly widthPx: number;
}

/** Names in view and those just left: beyond that all are measured anew. */
const KEPT_MAX = 2_000;
const kept = new Map<string, number>();

/** Width of a text in the font that is set. */
export function widthOf(context: CanvasRenderingContext2D, text: string): number {
  const key = `${context.font}|${text}`;
  let width = kept.get(key);
  if (width !== undefined) return width;
  width = context.measureText(text).width;
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(key, width);
  return width;
}

/** What of a text fits into a width, with an ellipsis where it was cut; nothing when not even two letters do. */
export function fitted(context: CanvasRenderingContext2D, text: string, roomPx: number): Fitted {
  const widthPx = widthOf(context, text);
  if (widthPx <= roomPx) return { text, widthPx };
  let length = Math.floor((text.length * Math.max(0, roomPx)) / widthPx);
  let cutPx = 0;
  while (length > 0 && (cutPx = widthOf(context, `${text.slice(0, length)}…`)) > roomPx) length--;
  return length < 2
    ? { text: '', widthPx: 0 }
    : { text: `${text.slice(0, length)}…`, widthPx: cutPx };
}
