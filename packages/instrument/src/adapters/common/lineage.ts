// What adapters know of lineage: at which rate a vendor counts what the stream
// counts in ticks, and which words came of which sound.

import type { DerivationQuality } from '@framescope/protocol';
import { tick } from '@framescope/protocol';
import type { Hop } from '../../hop/hop.ts';
import type { Stream } from '../../hop/stream.ts';
import type { SessionPort } from '../../ports.ts';
import type { Bent } from './position.ts';

/** Tells where the media axis of a vendor bends against that of the stream. */
export const bends =
  (port: SessionPort, stream: Stream, hop: Hop): ((bent: Bent) => void) =>
  bent => {
    const { role, name, nth } = hop.name;
    port.lineage({
      kind: 'segment',
      stream: stream.name,
      role,
      hop: name,
      nth,
      sample: bent.sample,
      tick: tick(bent.tick),
      samples: bent.samples,
      ticks: bent.ticks,
      at: port.clock.now(),
    });
  };

/** Ticks `[from, to)` of a stream. */
export interface TickRange {
  readonly from: number;
  readonly to: number;
}

/** Tells which words came of which sound; nothing, where there are none or it is not known. */
export function tellWords(
  port: SessionPort,
  stream: Stream,
  range: TickRange | undefined,
  { text, quality }: { readonly text: string; readonly quality: DerivationQuality },
): void {
  if (text === '' || range === undefined || range.to <= range.from) return;
  port.lineage({
    kind: 'derived',
    who: stream.direction === 'up' ? 'user' : 'agent',
    stream: stream.name,
    fromTick: tick(Math.round(range.from)),
    toTick: tick(Math.round(range.to)),
    text: text.slice(0, TEXT_LENGTH_MAX),
    quality,
    at: port.clock.now(),
  });
}

const TEXT_LENGTH_MAX = 4_000;
