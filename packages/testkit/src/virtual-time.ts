// True time that passes only when told to: a queue of events, nanoseconds from
// the call's zero. Nothing in a simulation reads the machine's clock.
//
// Events of one instant run in the order they were added. After each event the
// promises it settled run to their end before time moves on, so that code under
// test sees "the answer came back" at the instant it came back.

/** Something that will happen. Cancelling it twice, or after it ran, does nothing. */
export class VirtualEvent {
  readonly atNs: number;
  readonly order: number;
  #run: (() => void) | undefined;

  constructor(atNs: number, order: number, run: () => void) {
    this.atNs = atNs;
    this.order = order;
    this.#run = run;
  }

  cancel(): void {
    this.#run = undefined;
  }

  /** Called by the queue, once. */
  happen(): void {
    this.#run?.();
  }
}

const earlier = (a: VirtualEvent, b: VirtualEvent): boolean =>
  a.atNs < b.atNs || (a.atNs === b.atNs && a.order < b.order);

/** Lets every settled promise run; `setImmediate` comes after the whole microtask queue. */
const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

export class VirtualTime {
  #nowNs = 0;
  #order = 0;
  readonly #heap: VirtualEvent[] = [];
  #isSettling = false;

  /** True time, whole nanoseconds since the zero of the simulation. */
  get nowNs(): number {
    return this.#nowNs;
  }

  /** Runs `run` at that time, or at once after the present event if it is past. */
  at(atNs: number, run: () => void): VirtualEvent {
    this.#order += 1;
    const event = new VirtualEvent(Math.max(Math.round(atNs), this.#nowNs), this.#order, run);
    this.#push(event);
    return event;
  }

  /** The next event lets promises settle before time moves on: call it where an await may hang on it. */
  wakes(): void {
    this.#isSettling = true;
  }

  /** Runs everything up to and including `untilNs`, then stands there. */
  async advanceTo(untilNs: number): Promise<void> {
    for (;;) {
      if (this.#isSettling) {
        this.#isSettling = false;
        await settle();
        continue;
      }
      const next = this.#heap[0];
      if (next === undefined || next.atNs > untilNs) break;
      this.#pop();
      this.#nowNs = next.atNs;
      next.happen();
    }
    this.#nowNs = Math.max(this.#nowNs, untilNs);
  }

  #push(entry: VirtualEvent): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!earlier(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && earlier(heap[child + 1]!, heap[child]!)) child += 1;
      if (!earlier(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
