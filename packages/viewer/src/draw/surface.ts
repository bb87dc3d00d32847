// The one place that knows device pixels and animation frames.
//
// State changes call invalidate(); one animation frame paints once. Idle costs
// nothing. Above twice the CSS resolution nobody sees the difference and
// everything costs two to four times, so the ratio is capped.

export interface SurfaceHost {
  readonly devicePixelRatio: number;
  requestAnimationFrame(callback: (nowMs: number) => void): number;
}

export interface PaintArea {
  readonly widthPx: number;
  readonly heightPx: number;
  /** One device pixel in CSS pixels: the width of a hairline. */
  readonly hairPx: number;
  readonly nowMs: number;
}

export type Paint = (context: CanvasRenderingContext2D, area: PaintArea) => void;

const RATIO_MAX = 2;

/** A canvas that repaints at most once a frame, however often it is asked. */
export class Surface {
  readonly canvas: HTMLCanvasElement;
  readonly #paint: Paint;
  readonly #host: SurfaceHost;
  readonly #observer: ResizeObserver;
  #isScheduled = false;

  constructor(canvas: HTMLCanvasElement, paint: Paint, host: SurfaceHost = window) {
    this.canvas = canvas;
    this.#paint = paint;
    this.#host = host;
    this.#observer = new ResizeObserver(() => this.invalidate());
    this.#observer.observe(canvas);
  }

  /** Asks for a repaint on the next animation frame; from inside a paint, for one more. */
  invalidate(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#host.requestAnimationFrame(nowMs => {
      this.#isScheduled = false;
      this.#repaint(nowMs);
    });
  }

  /** An element whose size the picture goes by: the window of a canvas that is taller than it. */
  follow(element: Element): void {
    this.#observer.observe(element);
  }

  close(): void {
    this.#observer.disconnect();
  }

  #repaint(nowMs: number): void {
    const { clientWidth: widthPx, clientHeight: heightPx } = this.canvas;
    if (widthPx === 0 || heightPx === 0) return;
    const ratio = Math.min(RATIO_MAX, this.#host.devicePixelRatio);
    const width = Math.round(widthPx * ratio);
    const height = Math.round(heightPx * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const context = this.canvas.getContext('2d', { alpha: false });
    if (context === null) return; // Lost context: the browser repaints us when it returns.
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#paint(context, { widthPx, heightPx, hairPx: 1 / ratio, nowMs });
  }
}
