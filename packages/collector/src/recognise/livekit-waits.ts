// The waits of a LiveKit turn: from the end of the user's speech to the first frame of the answer, and
// again from a filler to what comes after it, each with the moments on its way.

import { durationNs, type DomainNs, type MomentState } from '@framescope/protocol';
import { REALTIME } from './livekit-edges.ts';
import { transcriptAt, under, type Session, type UserTurn } from './livekit-spans.ts';
import { type Speech, type Voice } from './livekit-speech.ts';
import { figure } from './livekit-units.ts';
import type { KnownMoment, KnownWait, ReportedFigure } from './source.types.ts';
import { later, numberAt, textAt, type TimedSpan } from './span-reader.ts';

/** LiveKit's VAD looks at 32 ms at a time, and back over them: an end of speech is good to that. */
const VAD_ERROR_NS = 32_000_000;
/** Between two reads of a clock that stand beside the same event. */
const READ_ERROR_NS = 1_000_000;
/** What one turn of a busy event loop may lie between an event and what waited for it. */
const SAME_EVENT_NS = 15_000_000;
/** A pause in the agent's voice longer than this is a wait again. */
const PAUSE_NS = 300_000_000;

/** One stretch of the agent's voice. */
export interface Utterance {
  readonly speech: Speech;
  readonly speaking: TimedSpan;
  readonly voice: Voice | undefined;
  /** Said to bridge a wait: more came after it. */
  readonly isFiller: boolean;
}

/** A user's turn, or what the agent says unasked, with all that the agent did about it. */
export interface Exchange {
  readonly user: UserTurn | undefined;
  readonly kind: 'response' | 'greeting' | 'proactive';
  /** By start; those that were thrown away not among them. */
  readonly speeches: readonly Speech[];
  readonly discarded: readonly Speech[];
  readonly utterances: readonly Utterance[];
  /** When the agent began to owe its greeting. */
  readonly greetingAt: DomainNs;
}

export function utterancesOf(speeches: readonly Speech[]): Utterance[] {
  const all = speeches
    .flatMap(speech =>
      speech.speaking.map(speaking => ({
        speech,
        speaking,
        voice: speech.voices.findLast(voice => voice.startAt <= speaking.startAt),
      })),
    )
    .toSorted((a, b) => a.speaking.startAt - b.speaking.startAt);
  const lastWork = Math.max(
    ...speeches.flatMap(speech => [...speech.llms, ...speech.voices].map(one => one.startAt)),
  );
  return all.map((one, i) => ({
    ...one,
    isFiller: i < all.length - 1 || hasMoreToCome(one.voice, one.speech, lastWork),
  }));
}

/** It spoke beside the call of a tool, and the model was asked again. */
function hasMoreToCome(voice: Voice | undefined, speech: Speech, lastWork: number): boolean {
  if (voice === undefined || lastWork <= voice.startAt) return false;
  const isUnasked = speech.llms.length === 0;
  return isUnasked || speech.llms.findLast(llm => llm.startAt <= voice.startAt)?.hasTools === true;
}

export function waitsOf(exchange: Exchange, session: Session, zeroUnixNs: bigint): KnownWait[] {
  const { kind, utterances } = exchange;
  if (kind === 'proactive') return [];
  const waits: KnownWait[] = [];
  const [first] = utterances;
  waits.push(firstWait(exchange, first, session, zeroUnixNs));
  for (const [i, before] of utterances.entries()) {
    const next = utterances[i + 1];
    if (next === undefined) {
      if (isStillOwed(before, exchange)) waits.push(resumeWait(exchange, before, undefined));
      continue;
    }
    if (next.speaking.startAt - before.speaking.endAt > PAUSE_NS)
      waits.push(resumeWait(exchange, before, next));
  }
  return waits;
}

/** The filler was the last that was heard: the model had been asked for more. */
const isStillOwed = ({ speaking, isFiller }: Utterance, { speeches }: Exchange): boolean =>
  isFiller &&
  speeches.some(({ llms, tools }) =>
    [...llms, ...tools].some(one => one.endAt > speaking.endAt + PAUSE_NS),
  );

function firstWait(
  exchange: Exchange,
  first: Utterance | undefined,
  session: Session,
  zeroUnixNs: bigint,
): KnownWait {
  const { kind, user, greetingAt } = exchange;
  const opens: KnownMoment | undefined =
    kind === 'greeting'
      ? { at: greetingAt, source: 'agent session started', errorNs: durationNs(READ_ERROR_NS) }
      : user?.endsAt === undefined
        ? undefined
        : { at: user.endsAt, source: 'VAD, looking back', errorNs: durationNs(VAD_ERROR_NS) };
  const heard = user === undefined ? [] : hearing(user, session, zeroUnixNs);
  const decidedAt = heard.find(one => one.name === 'turn_decided')?.at;
  const reported = reportedOf(exchange, session);
  return {
    kind: kind === 'greeting' ? 'greeting' : 'response',
    ...(opens && { opens }),
    ...(first && { closes: closing(first) }),
    moments: [...heard, ...speaking(exchange, first, decidedAt)],
    ...(reported.length > 0 && { reported }),
  };
}

function resumeWait(exchange: Exchange, before: Utterance, next: Utterance | undefined): KnownWait {
  const isMine = (one: MomentState): boolean =>
    one.at > before.speaking.startAt || one.name === 'tool_started';
  return {
    kind: 'resume',
    opens: {
      at: before.speaking.endAt,
      source: 'agent_speaking ended',
      errorNs: durationNs(READ_ERROR_NS),
    },
    ...(next && { closes: closing(next) }),
    moments: speaking(exchange, next, undefined).filter(isMine),
  };
}

const closing = ({
  speaking: { startAt },
  isFiller,
}: Utterance): NonNullable<KnownWait['closes']> => ({
  at: startAt,
  source: 'first frame handed to the output',
  errorNs: durationNs(READ_ERROR_NS),
  ...(isFiller && { filler: true }),
});

const moment = (
  name: string,
  at: DomainNs,
  source: string,
  after?: readonly string[],
): MomentState => ({
  name,
  at,
  source,
  errorNs: durationNs(READ_ERROR_NS),
  ...(after && { after }),
});

// ---- until the turn is decided ----------------------------------------------------------------

interface EndOfTurn {
  /** The window that was waited, from the end of speech. */
  readonly windowNs: number | undefined;
  readonly isUnlikely: boolean;
  readonly isManual: boolean;
  readonly detection: TimedSpan | undefined;
}

function hearing(user: UserTurn, session: Session, zeroUnixNs: bigint): MomentState[] {
  const moments: MomentState[] = [];
  const transcript = transcriptAt(user, session, zeroUnixNs);
  if (transcript !== undefined) moments.push(moment('transcript_final', transcript, 'STT'));
  const { decidedAt, endsAt } = user;
  if (decidedAt === undefined) return moments;
  const end = endOfTurn(user, session);
  const windowEnd = windowEndOf(user, end, transcript);
  const heldAt = Math.max(windowEnd ?? -Infinity, transcript ?? -Infinity);
  const isByDetector =
    end.detection !== undefined &&
    end.detection.endAt >= decidedAt - SAME_EVENT_NS &&
    heldAt < decidedAt - SAME_EVENT_NS;
  if (windowEnd !== undefined && endsAt !== undefined && !isByDetector)
    moments.push(moment('endpointing_ended', windowEnd, 'endpointing delay'));
  const source = user.isByModel
    ? 'realtime model'
    : end.isManual
      ? 'committed by hand'
      : isByDetector
        ? 'turn detector'
        : end.isUnlikely
          ? 'turn detector, max_delay'
          : 'VAD and min_delay';
  if (end.detection !== undefined && end.detection.endAt <= decidedAt)
    moments.push(moment('detector_answered', end.detection.endAt, 'eou_detection'));
  moments.push(moment('turn_decided', decidedAt, source));
  const [handler] = under(session, user.spanId, 'on_user_turn_completed').slice(-1);
  if (handler !== undefined && handler.endAt - handler.startAt > READ_ERROR_NS)
    moments.push(moment('turn_handled', handler.endAt, 'on_user_turn_completed'));
  return moments;
}

function endOfTurn(user: UserTurn, session: Session): EndOfTurn {
  const detection = under(session, user.spanId, 'eou_detection').at(-1);
  const wait = under(session, user.spanId, 'eou_wait').at(-1);
  const attributes = { ...wait?.span.attributes, ...detection?.span.attributes };
  const probability = numberAt(attributes, 'lk.eou.probability');
  const threshold = numberAt(attributes, 'lk.eou.unlikely_threshold');
  return {
    windowNs: figure(attributes, 'lk.eou.endpointing_delay', session.unit, session.invalid),
    isUnlikely: probability !== undefined && threshold !== undefined && probability < threshold,
    isManual: textAt(attributes, 'lk.eou.source') === 'manual',
    detection,
  };
}

/**
 * When the window of silence was over. Where nobody says how long it was: it held the turn if the
 * decision came when nothing else did; if the transcript came with the decision, the window had gone by.
 */
function windowEndOf(
  { endsAt, decidedAt }: UserTurn,
  { windowNs, isManual }: EndOfTurn,
  transcript: DomainNs | undefined,
): DomainNs | undefined {
  if (endsAt === undefined || decidedAt === undefined || isManual) return undefined;
  if (windowNs !== undefined) {
    const at = later(endsAt, windowNs);
    // The decision is taken by the window's own timer: what lies between is the same event.
    return at > decidedAt - SAME_EVENT_NS ? decidedAt : at;
  }
  const isByTranscript = transcript !== undefined && transcript >= decidedAt - SAME_EVENT_NS;
  return isByTranscript ? undefined : decidedAt;
}

// ---- until it is heard ------------------------------------------------------------------------

/** What was done for `utterance`, or (undefined) for one that never came. */
function speaking(
  exchange: Exchange,
  utterance: Utterance | undefined,
  decidedAt: DomainNs | undefined,
): MomentState[] {
  const untilAt = utterance?.voice?.startAt ?? utterance?.speaking.startAt ?? Infinity;
  const isBefore = (one: TimedSpan): boolean => one.startAt <= untilAt + READ_ERROR_NS;
  const llms = exchange.speeches
    .flatMap(one => one.llms)
    .filter(one => isBefore(one) && !one.isDiscarded);
  const tools = exchange.speeches.flatMap(one => one.tools).filter(isBefore);
  const moments: MomentState[] = [];
  for (const llm of llms)
    moments.push(moment('model_requested', llm.requestedAt, 'llm_request_run'));
  for (const tool of tools) {
    moments.push(moment('tool_started', tool.startAt, 'function_tool'));
    if (tool.endAt <= untilAt) moments.push(moment('tool_ended', tool.endAt, 'function_tool'));
  }
  if (utterance === undefined) return moments;
  const { speech, voice } = utterance;
  if (speech.isRealtime && voice === undefined)
    return [...moments, ...realtime(speech, utterance), ...floorOf(exchange, utterance)];
  const own = speech.llms.filter(isBefore).at(-1);
  if (own?.firstAt !== undefined && voice !== undefined)
    moments.push(moment('first_speakable', own.firstAt, 'lk.response.ttft'));
  if (voice?.sentAt !== undefined) {
    const after = sentAfter(voice, { own: own !== undefined, tools, decidedAt });
    moments.push(moment('speech_text_sent', voice.sentAt, 'TTS metrics', after));
  }
  if (voice?.firstAt !== undefined)
    moments.push(moment('first_audio', voice.firstAt, 'TTS metrics'));
  return [...moments, ...floorOf(exchange, utterance)];
}

/** What the text waited for: the model's word, and the decision where TTS is not begun before it. */
function sentAfter(
  voice: Voice,
  of: { own: boolean; tools: readonly TimedSpan[]; decidedAt: DomainNs | undefined },
): string[] | undefined {
  const { own, tools, decidedAt } = of;
  // Said by the tool that runs: a filler.
  if (!own) return tools.length > 0 ? ['tool_started'] : undefined;
  if (decidedAt === undefined) return undefined;
  // tts_node begins with the first word, and not before the decision unless preemptive_tts is on.
  const isPreemptive = voice.startAt < decidedAt - READ_ERROR_NS;
  return isPreemptive ? ['first_speakable'] : undefined;
}

/** A realtime model: when it was asked, and its first sound. */
function realtime(speech: Speech, { speaking: spoken }: Utterance): MomentState[] {
  const inference = speech.realtime.findLast(one => one.requestedAt <= spoken.startAt);
  if (inference === undefined) return [];
  const { requestedAt, firstAt = spoken.startAt } = inference;
  return [
    moment('model_requested', requestedAt, 'realtime model'),
    moment('first_audio', firstAt > spoken.startAt ? spoken.startAt : firstAt, REALTIME),
  ];
}

/** Its sound was ready while the agent still spoke: it waited for the floor. */
function floorOf({ utterances }: Exchange, utterance: Utterance): MomentState[] {
  const before = utterances[utterances.indexOf(utterance) - 1];
  const readyAt = utterance.voice?.firstAt;
  if (before === undefined || readyAt === undefined) return [];
  const isHeld =
    before.speaking.endAt > readyAt &&
    before.speaking.endAt <= utterance.speaking.startAt + READ_ERROR_NS;
  return isHeld ? [moment('floor_free', before.speaking.endAt, 'agent_speaking ended')] : [];
}

// ---- what LiveKit says itself -----------------------------------------------------------------

function reportedOf({ speeches }: Exchange, session: Session): ReportedFigure[] {
  return speeches.flatMap(speech =>
    speech.attributes.flatMap(attributes => {
      const valueNs = figure(attributes, 'lk.e2e_latency', 's', session.invalid);
      return valueNs === undefined
        ? []
        : {
            name: 'lk.e2e_latency',
            valueNs,
            meaning:
              'end of speech by VAD → first frame of the answer handed to the output (a filler by session.say is passed over)',
          };
    }),
  );
}
