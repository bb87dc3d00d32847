// A process says all of its resource with every tenth flush, and in between only
// the name of its service. What it said last stands for those: flushes and reports of load come
// with the whole resource, as if each had brought it.
//
// After a restart of the collector it is known again within ten flushes.

import type { DecodedResource } from './types.ts';

/** Processes remembered; the one not heard of for longest is forgotten first. */
const PROCESSES_MAX = 10_000;

export class ToldResources {
  readonly #byProducer = new Map<string, DecodedResource>();

  /** The resource that `producer` told, or this one where it says more or something else. */
  whole(producer: string, resource: DecodedResource): DecodedResource {
    const known = this.#byProducer.get(producer);
    const told = known !== undefined && holds(known, resource) ? known : resource;
    this.#byProducer.delete(producer);
    this.#byProducer.set(producer, told);
    if (this.#byProducer.size > PROCESSES_MAX) {
      const [oldest] = this.#byProducer.keys();
      this.#byProducer.delete(oldest!);
    }
    return told;
  }
}

/** One for the process: all requests of a producer pass here. */
export const toldResources: ToldResources = new ToldResources();

const holds = (known: DecodedResource, resource: DecodedResource): boolean =>
  Object.entries(resource.attributes).every(([name, value]) => known.attributes[name] === value);
