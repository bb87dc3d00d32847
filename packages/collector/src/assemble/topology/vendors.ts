// The ways from a session's processes to the services that they ask: round trips as
// they were measured, the services' own word of their work, and how often that word
// was missing or could not be so.

import { Sketch, toBase64, type Turn, type VendorLeg } from '@framescope/protocol';
import { lieOf, vendorTold, type VendorTold } from '../ledger/split.ts';
import { figuresOf } from './legs.ts';

const VENDORS_MAX = 32;

interface Asked {
  readonly vendor: string | null;
  readonly stage: string;
  readonly rtt: Sketch;
  readonly processing: Sketch;
  readonly queue: Sketch;
  readonly connect: Sketch;
  requests: number;
  silent: number;
  unlikely: number;
}

/** By vendor and stage, of all turns; `process`: the one that asked; `wayTo`: round trip to a service that is traced itself. */
export function vendorsOf(
  turns: readonly Turn[],
  process: number,
  wayTo: (service: string) => number | undefined,
): VendorLeg[] {
  const all = new Map<string, Asked>();
  for (const { stages } of turns)
    for (const { name, attributes, startNs, firstNs, endNs } of stages) {
      const said = vendorTold(attributes);
      if (said === undefined) continue;
      const isOpen = said.rttNs === undefined && said.vendor !== undefined;
      const told = isOpen ? { ...said, rttNs: wayTo(said.vendor!) } : said;
      const asked = askedOf(all, told, name);
      if (asked === undefined) continue;
      const tookNs = (firstNs ?? endNs ?? startNs) - startNs;
      take(asked, told, tookNs);
    }
  return [...all.values()].map(one => legOf(one, process));
}

export const asksVendors = ({ stages }: Turn): boolean =>
  stages.some(({ attributes }) => vendorTold(attributes) !== undefined);

function askedOf(all: Map<string, Asked>, told: VendorTold, stage: string): Asked | undefined {
  const vendor = told.vendor ?? null;
  const key = JSON.stringify([vendor, stage]);
  const known = all.get(key);
  if (known !== undefined || all.size >= VENDORS_MAX) return known;
  const asked: Asked = {
    vendor,
    stage,
    rtt: new Sketch(),
    processing: new Sketch(),
    queue: new Sketch(),
    connect: new Sketch(),
    requests: 0,
    silent: 0,
    unlikely: 0,
  };
  all.set(key, asked);
  return asked;
}

function take(asked: Asked, told: VendorTold, tookNs: number): void {
  asked.requests++;
  const isSilent = told.processingNs === undefined && told.queueNs === undefined;
  if (isSilent) asked.silent++;
  const isLie = lieOf(told, tookNs) !== undefined;
  if (isLie) asked.unlikely++;
  const add = (sketch: Sketch, ns: number | undefined): void => {
    if (ns !== undefined && Number.isFinite(ns)) sketch.add(ns);
  };
  add(asked.rtt, told.rttNs);
  add(asked.connect, told.connectNs);
  if (isLie) return;
  add(asked.processing, told.processingNs);
  add(asked.queue, told.queueNs);
}

const legOf = (one: Asked, process: number): VendorLeg => ({
  process,
  vendor: one.vendor,
  stage: one.stage,
  requests: one.requests,
  silent: one.silent,
  unlikely: one.unlikely,
  rtt: figuresOf(one.rtt),
  processing: figuresOf(one.processing),
  queue: figuresOf(one.queue),
  connect: figuresOf(one.connect),
  rttSketch: toBase64(one.rtt.toBytes()),
  processingSketch: toBase64(one.processing.toBytes()),
});
