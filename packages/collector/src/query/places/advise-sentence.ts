// Advice on how much text a synthesiser is given at a time: after how many
// characters the voice could have begun, and whether the next piece would have been
// there in time. Tokens between the first and the last are taken as evenly spaced.
//
//   first token ──────── L characters ─▶ sent ── synthesis ─▶ voice
//                                        the piece lasts L × (speech a character);
//                                        the next must be there by then

import type { Advice, Stage, Turn } from '@framescope/protocol';
import { binnedOf, pointOf, type Tried } from './advice-points.ts';
import { msText } from './placed-sessions.ts';

const LENGTHS = [10, 20, 40, 60, 80, 120, 200] as const;
const ANSWERS_MIN = 10;
/** An answer of fewer characters is one piece in any case. */
const TEXT_MIN = 10;

export interface SentenceCase {
  readonly session: string;
  readonly characters: number;
  /** First token → last. */
  readonly writingNs: number;
  /** Text sent → first sound. */
  readonly synthesisNs: number;
  /** The whole answer as sound. */
  readonly speechNs: number;
  /** First token → text sent, as it was. */
  readonly waitedNs: number;
}

export function sentenceCases(session: string, turns: readonly Turn[]): SentenceCase[] {
  return turns.flatMap((turn): SentenceCase[] => {
    const llm = turn.stages.find(stage => isSpoken(stage, 'llm'));
    const tts = turn.stages.find(stage => isSpoken(stage, 'tts'));
    const text = turn.words
      .filter(one => one.who === 'agent')
      .map(one => one.text)
      .join(' ');
    if (llm?.firstNs == null || llm.endNs === null || tts?.firstNs == null) return [];
    if (turn.agent === null || text.length < TEXT_MIN) return [];
    return [
      {
        session,
        characters: text.length,
        writingNs: Math.max(0, llm.endNs - llm.firstNs),
        synthesisNs: Math.max(0, tts.firstNs - tts.startNs),
        speechNs: Math.max(0, turn.agent.endNs - turn.agent.startNs),
        waitedNs: Math.max(0, tts.startNs - llm.firstNs),
      },
    ];
  });
}

const isSpoken = (stage: Stage, name: string): boolean =>
  stage.name === name && !stage.discarded && stage.firstNs !== null;

export function adviseSentence(cases: readonly SentenceCase[]): Advice {
  const known = {
    kind: 'sentence',
    sessions: [...new Set(cases.map(one => one.session))],
    frames: cases.length,
  } as const;
  if (cases.length < ANSWERS_MIN)
    return {
      ...known,
      refusal: `${cases.length} answers with a model's and a voice's first output and end: at least ${ANSWERS_MIN} are needed`,
      today: null,
      points: [],
      advice: '',
    };
  const recorded: Tried = {
    setting: 'as it was',
    policy: 'recorded',
    valueNs: 0,
    delaysNs: cases.map(one => Float64Array.of(one.waitedNs + one.synthesisNs)),
    underruns: 0,
  };
  const base = binnedOf(recorded);
  const points = LENGTHS.map(length => pointOf(triedOf(cases, length), base));
  const today = pointOf(recorded, undefined);
  const best = points
    .filter(one => one.underruns === 0)
    .toSorted((a, b) => a.delayMeanNs - b.delayMeanNs)[0];
  const gainNs = today.delayMeanNs - (best?.delayMeanNs ?? today.delayMeanNs);
  return {
    ...known,
    refusal: null,
    today,
    points,
    advice:
      best === undefined || gainNs < 5e6
        ? 'Nothing to gain: a shorter first piece would not begin sooner without a gap behind it.'
        : `A first piece of ${best.setting} would have begun ${msText(gainNs)} sooner on average, with no gap behind it.`,
  };
}

function triedOf(cases: readonly SentenceCase[], length: number): Tried {
  let underruns = 0;
  const delaysNs = cases.map(one => {
    const own = Math.min(length, one.characters);
    const written = (characters: number): number => (one.writingNs * characters) / one.characters;
    const beginsNs = written(own) + one.synthesisNs;
    const endsNs = beginsNs + (one.speechNs * own) / one.characters;
    const nextNs = written(Math.min(2 * own, one.characters)) + one.synthesisNs;
    if (own < one.characters && nextNs > endsNs) underruns++;
    return Float64Array.of(beginsNs);
  });
  return {
    setting: `${length} characters`,
    policy: 'evenly spaced tokens',
    valueNs: length,
    delaysNs,
    underruns,
  };
}
