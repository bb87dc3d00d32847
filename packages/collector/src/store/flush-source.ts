// What the flushes of one process have in common, kept once: producer, clock, resource.

import type { Attributes } from '@framescope/protocol';
import type { DecodedFlush } from '../decode/types.ts';

interface SourceJson {
  readonly producer: string;
  readonly domain: string;
  readonly epoch: number;
  readonly zeroUnixNs: string;
  readonly resource: Attributes;
}

export type FlushSource = Pick<DecodedFlush, 'producer' | 'clock' | 'resource'>;

export const sourceToJson = ({ producer, clock, resource }: FlushSource): string =>
  JSON.stringify({
    producer,
    domain: clock.domain,
    epoch: clock.epoch,
    zeroUnixNs: String(clock.zeroUnixNs),
    resource: resource.attributes,
  } satisfies SourceJson);

export function sourceFromJson(json: string): FlushSource {
  const source = JSON.parse(json) as SourceJson;
  return {
    producer: source.producer,
    clock: { domain: source.domain, epoch: source.epoch, zeroUnixNs: BigInt(source.zeroUnixNs) },
    resource: { attributes: source.resource },
  };
}
