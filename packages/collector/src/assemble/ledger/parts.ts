// The parts of a wait: their names in path order, and who owns each.

/** In the order in which sound travels; merged names keep this order. */
export const PART_NAMES = [
  'signalling',
  'ice',
  'dtls',
  'dispatch',
  'cold_start',
  'uplink',
  'endpointing',
  'transcription',
  'preparation',
  'inference',
  'tool',
  'failed_attempt',
  'aggregation',
  'synthesis',
  'floor',
  'delivery',
  'leading_silence',
  'downlink',
  'jitter_buffer',
  'playout',
  'unattributed',
] as const;

export type PartName = (typeof PART_NAMES)[number];

const OWNERS: Readonly<Record<PartName, string>> = {
  signalling: 'network',
  ice: 'network',
  dtls: 'network',
  dispatch: 'platform',
  cold_start: 'agent',
  uplink: 'network',
  endpointing: 'setting',
  transcription: 'STT service',
  preparation: 'pipeline',
  inference: 'model service',
  tool: 'tool',
  failed_attempt: 'provider',
  aggregation: 'setting',
  synthesis: 'TTS service',
  floor: 'policy',
  delivery: 'pipeline',
  leading_silence: 'TTS service',
  downlink: 'network',
  jitter_buffer: 'client',
  playout: 'client',
  unattributed: 'nobody',
};

/** Sources of `turn_decided` that are a judgement, not a window of silence that somebody set. */
const DETECTOR = /detector|model|semantic|smart|eou|turn_?detect|hold/i;
/** Sources of `turn_decided` that cannot speak before the final transcript is there. */
const NEEDS_TRANSCRIPT = /transcript|\bstt\b|semantic|smart|eou/i;

export const isByDetector = (source: string | undefined): boolean => DETECTOR.test(source ?? '');
export const needsTranscript = (source: string | undefined): boolean =>
  NEEDS_TRANSCRIPT.test(source ?? '');

export const inPathOrder = (names: Iterable<PartName>): PartName[] =>
  [...new Set(names)].toSorted((a, b) => PART_NAMES.indexOf(a) - PART_NAMES.indexOf(b));

/** Owner of a part; of a merged one all of them. `decidedBy`: source of the end-of-turn decision. */
export function ownerOf(names: readonly PartName[], decidedBy: string | undefined): string {
  const owners = names.map(name =>
    name === 'endpointing' && isByDetector(decidedBy) ? 'detector' : OWNERS[name],
  );
  return [...new Set(owners)].join(' + ');
}

/** True when the part has one name that somebody owns: it counts as resolved. */
export const isResolved = (names: readonly PartName[]): boolean =>
  names.length === 1 && names[0] !== 'unattributed';
