// When a canvas is painted anew: once a frame however often it is asked, and when what its picture
// goes by changes size, be it the canvas or the window of a canvas that is taller than it.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Surface } from '../src/draw/surface.ts';

/** Observers in the order in which they were made. */
let observers: FakeObserver[] = [];

class FakeObserver {
  readonly seen: unknown[] = [];
  readonly changed: () => void;

  constructor(changed: () => void) {
    this.changed = changed;
    observers.push(this);
  }

  observe(element: unknown): void {
    this.seen.push(element);
  }

  disconnect(): void {
    this.seen.length = 0;
  }

  /** As a browser does when the element has another size. */
  resize(element: unknown): void {
    if (this.seen.includes(element)) this.changed();
  }
}

beforeEach(() => {
  observers = [];
  vi.stubGlobal('ResizeObserver', FakeObserver);
});
afterEach(() => vi.unstubAllGlobals());

function surface(): { made: Surface; canvas: HTMLCanvasElement; paintsOf: () => number } {
  let paints = 0;
  const frames: ((nowMs: number) => void)[] = [];
  const canvas = {
    clientWidth: 100,
    clientHeight: 50,
    getContext: () => ({ setTransform: () => undefined }),
  } as unknown as HTMLCanvasElement;
  const made = new Surface(canvas, () => paints++, {
    devicePixelRatio: 1,
    requestAnimationFrame: callback => frames.push(callback),
  });
  return {
    made,
    canvas,
    paintsOf: () => {
      for (const frame of frames.splice(0)) frame(0);
      return paints;
    },
  };
}

test('a canvas is painted once a frame however often it is asked', () => {
  const { made, paintsOf } = surface();
  for (let i = 0; i < 3; i++) made.invalidate();
  expect(paintsOf()).toBe(1);
  expect(paintsOf()).toBe(1);
});

test('a window that changes its size has the picture painted anew, once it is followed', () => {
  const { made, canvas, paintsOf } = surface();
  const lanes = {} as Element;
  observers[0]!.resize(lanes);
  expect(paintsOf()).toBe(0);
  made.follow(lanes);
  observers[0]!.resize(lanes);
  expect(paintsOf()).toBe(1);
  observers[0]!.resize(canvas);
  expect(paintsOf()).toBe(2);
  made.close();
  observers[0]!.resize(lanes);
  expect(paintsOf()).toBe(2);
});
