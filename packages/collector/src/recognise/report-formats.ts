// What the figures of a call report mean, vendor by vendor: in which unit they are, between
// which moments, and in which order they are laid.
//
// A report gives lengths and no times: its parts are laid one behind the other, in the order
// below, from the end of the user's speech; what the total has more than they have together
// is owned by nobody, and is put last. Where they are longer than the total they ran side by
// side, and nobody can say which of them was waited for: then they are one part with all names.

import type { PartName } from '../assemble/ledger/parts.ts';

/** A part of the wait: the figure it is, less another one that lies inside it. */
export interface ReportedPart {
  readonly part: PartName;
  /** The moment with which it ends. */
  readonly moment: string;
  /** Spellings in order of trust. */
  readonly figures: readonly string[];
  readonly less?: string;
  /** Only where none of these is there: they say the same stretch better. */
  readonly unless?: readonly string[];
}

export interface ReportFormat {
  readonly vendor: 'vapi' | 'retell' | 'deepgram' | 'elevenlabs';
  readonly name: string;
  /** Where the names and units are from. */
  readonly types: string;
  readonly unitNs: number;
  readonly unit: 'ms' | 's';
  /** Of a whole answer, in `unit`: what lies outside is in another unit than the types say. */
  readonly sane: readonly [least: number, most: number];
  readonly totals: readonly string[];
  readonly meaning: string;
  readonly parts: readonly ReportedPart[];
}

const MS: Pick<ReportFormat, 'unitNs' | 'unit' | 'sane'> = {
  unitNs: 1e6,
  unit: 'ms',
  sane: [20, 60_000],
};
const S: Pick<ReportFormat, 'unitNs' | 'unit' | 'sane'> = {
  unitNs: 1e9,
  unit: 's',
  sane: [0.02, 60],
};

export const REPORT_FORMATS: readonly ReportFormat[] = [
  {
    vendor: 'vapi',
    name: 'Vapi',
    types: '@vapi-ai/server-sdk 2.0.1',
    ...MS,
    totals: ['turnLatency'],
    meaning: 'the whole turn, by Vapi',
    parts: [
      { part: 'transcription', moment: 'transcript_final', figures: ['transcriberLatency'] },
      { part: 'endpointing', moment: 'turn_decided', figures: ['endpointingLatency'] },
      { part: 'inference', moment: 'first_speakable', figures: ['modelLatency'] },
      { part: 'synthesis', moment: 'first_audio', figures: ['voiceLatency'] },
    ],
  },
  {
    vendor: 'retell',
    name: 'Retell',
    types: 'retell-sdk 5.66.1',
    ...MS,
    totals: ['e2e'],
    meaning: 'the user stops talking → the agent starts talking, without the way to the user',
    parts: [
      { part: 'transcription', moment: 'transcript_final', figures: ['asr'] },
      { part: 'preparation', moment: 'model_requested', figures: ['knowledge_base'] },
      { part: 'inference', moment: 'first_speakable', figures: ['llm'] },
      { part: 'synthesis', moment: 'first_audio', figures: ['tts'] },
      { part: 'inference', moment: 'first_audio', figures: ['s2s'], unless: ['llm', 'tts'] },
    ],
  },
  {
    vendor: 'deepgram',
    name: 'Deepgram',
    types: '@deepgram/sdk 5.13.0',
    ...S,
    totals: ['total_latency'],
    meaning: 'the utterance ends → first byte of the answer',
    parts: [
      { part: 'transcription', moment: 'transcript_final', figures: ['stt_latency'] },
      {
        part: 'inference',
        moment: 'first_speakable',
        figures: ['ttt_text_latency', 'ttt_latency'],
      },
      { part: 'synthesis', moment: 'first_audio', figures: ['tts_latency'] },
    ],
  },
  {
    vendor: 'elevenlabs',
    name: 'ElevenLabs',
    types: '@elevenlabs/elevenlabs-js 2.73.0',
    ...S,
    totals: ['convai_ttf_audio_since_silence'],
    meaning: 'the user falls silent → first audio of the answer',
    parts: [
      {
        part: 'endpointing',
        moment: 'turn_decided',
        figures: ['convai_turn_silence_before_initiation'],
      },
      {
        part: 'transcription',
        moment: 'transcript_final',
        figures: ['convai_turn_asr_latency', 'convai_asr_trailing_service_latency'],
        // The silence before a turn is begun is counted over the recogniser's delay.
        unless: ['convai_turn_silence_before_initiation'],
      },
      { part: 'inference', moment: 'first_speakable', figures: ['convai_llm_service_ttfb'] },
      {
        part: 'aggregation',
        moment: 'speech_text_sent',
        figures: ['convai_llm_service_ttf_sentence'],
        less: 'convai_llm_service_ttfb',
      },
      { part: 'synthesis', moment: 'first_audio', figures: ['convai_tts_service_ttfb'] },
    ],
  },
];
