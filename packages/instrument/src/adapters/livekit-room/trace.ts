// One line for a LiveKit room in a browser:
//
//   traceLiveKitRoom(room);                        a call of its own
//   traceLiveKitRoom(room, { session: call });     part of a call
//
// livekit-client hides its peer connections. What is public is used: who speaks,
// the state that LiveKit's agents tell (`lk.agent.state`), transcriptions, and
// the statistics of each audio track.

import type { DomainNs } from '@framescope/protocol';
import type { Stream } from '../../hop/stream.ts';
import type { SessionPort, Timer } from '../../ports.ts';
import { plainOptions } from '../../transport/plain-options.ts';
import { StatsDeltas } from '../../transport/webrtc/stats-deltas.ts';
import { at, listAt, textAt } from '../common/foreign.ts';
import { ConnectionWatch } from '../common/connection-watch.ts';
import { propertyOf } from '../common/hooks.ts';
import {
  follow,
  type AdapterTrace,
  type Following,
  type OfScope,
  type OfSession,
} from '../common/session-of.ts';
import { SpokenTurns } from '../common/spoken-turns.ts';

/** `Room` of `livekit-client`. */
export interface LiveKitRoom {
  on(event: never, listener: never): unknown;
  readonly localParticipant: object;
  readonly remoteParticipants: ReadonlyMap<string, object>;
}

/** Which streams a room's audio is. */
/** Streams of yours, where the default names do not do. */
export interface LiveKitStreams {
  /** The user's stream; default `mic`. */
  readonly mic?: Stream;
  /** The agent's stream; default `agent`. */
  readonly agent?: Stream;
}

/** A page that follows an agent it does not run is the turn authority: `startSession({ authority: true })`. */
export type LiveKitOptions = (OfSession | OfScope) & LiveKitStreams;

const STATS_EVERY_MS = 1_000;
const TRACKS_MAX = 16;
/** LiveKit's server finds speakers by level, over some 300 ms, and tells them as they change. */
const SPEAKER_ERROR_MS = 300;
const AGENT_STATE = 'lk.agent.state';

/**
 * Traces a LiveKit room: turns by who speaks and by the agent's state, words, and each second what
 * the audio tracks' statistics say (jitter buffer, loss, concealment, round trip). Costs a timer a
 * second and microseconds an event. Never throws; nothing the room does changes.
 */
export function traceLiveKitRoom(room: LiveKitRoom, options: LiveKitOptions = {}): AdapterTrace {
  return follow(
    'livekit-room',
    options,
    following => start(room, plainOptions(options), following),
    { role: 'client', isAuthority: true, id: () => nameOf(room) },
  );
}

/** What its agent knows it by, too; empty before it is connected. */
function nameOf(room: unknown): string | undefined {
  try {
    const name = textAt(room, 'name');
    return name === '' ? undefined : name;
  } catch {
    return undefined;
  }
}

function start(
  room: unknown,
  { mic, agent }: LiveKitStreams,
  { hooks, session, gone }: Following,
): void {
  const port = session.port();
  const turns = new SpokenTurns({ session, port, source: 'livekit', mic, agent });
  const call = new RoomCall(room, turns);
  const stats = new TrackStats(port);
  const isHeard = hooks.listen(room, 'activeSpeakersChanged', speakers => call.speakers(speakers));
  if (!isHeard) return;
  const watch = new ConnectionWatch(port, 'livekit');
  const state = (now: unknown): void => connection(watch, now);
  hooks.listen(room, 'connectionStateChanged', state);
  hooks.listen(room, 'signalConnected', () => watch.saw('signalled'));
  if (propertyOf(room, 'state') === 'connecting') state('connecting');
  hooks.listen(room, 'participantAttributesChanged', (changed, who) => call.state(changed, who));
  hooks.listen(room, 'transcriptionReceived', (segments, who) => call.words(segments, who));
  hooks.listen(room, 'trackSubscribed', track => stats.add(track, 'agent'));
  hooks.listen(room, 'trackUnsubscribed', track => stats.remove(track));
  hooks.listen(room, 'localTrackPublished', publication =>
    stats.add(propertyOf(publication, 'track'), 'mic'),
  );
  hooks.listen(room, 'localTrackUnpublished', publication =>
    stats.remove(propertyOf(publication, 'track')),
  );
  const over = (): void => {
    stats.stop();
    turns.settle();
  };
  hooks.listen(room, 'disconnected', () => {
    over();
    gone();
  });
  hooks.onStop(() => stats.stop());
  hooks.onStop(port.onEnd(() => hooks.run(over)));
  present(room, call, stats);
}

/** LiveKit's words: the room is connected when the media is; lost signalling alone stops no sound. */
function connection(watch: ConnectionWatch, state: unknown): void {
  if (state === 'connecting') watch.saw('call_started');
  else if (state === 'connected') watch.stands();
  else if (state === 'reconnecting') watch.broke();
}

/** What was in the room before we listened. */
function present(room: unknown, call: RoomCall, stats: TrackStats): void {
  const local = propertyOf(room, 'localParticipant');
  for (const track of tracksOf(local)) stats.add(track, 'mic');
  const remote = propertyOf(room, 'remoteParticipants');
  if (!(remote instanceof Map)) return;
  for (const participant of remote.values() as Iterable<unknown>) {
    for (const track of tracksOf(participant)) stats.add(track, 'agent');
    call.state(propertyOf(participant, 'attributes'), participant);
  }
}

function tracksOf(participant: unknown): unknown[] {
  const publications = propertyOf(participant, 'trackPublications');
  if (!(publications instanceof Map)) return [];
  return [...(publications.values() as Iterable<unknown>)].map(one => propertyOf(one, 'track'));
}

/** Who speaks, and what was said. */
class RoomCall {
  readonly #room: unknown;
  readonly #turns: SpokenTurns;
  readonly #told = new Set<string>();
  /** The agent tells its state: that is more exact than its level. */
  #hasState = false;

  constructor(room: unknown, turns: SpokenTurns) {
    this.#room = room;
    this.#turns = turns;
  }

  speakers(speakers: unknown): void {
    const list = Array.isArray(speakers) ? (speakers as unknown[]) : [];
    const isUser = list.some(one => this.#isLocal(one));
    const isAgent = list.some(one => !this.#isLocal(one));
    if (isUser) this.#turns.userBegan();
    else this.#turns.userEnded(0, SPEAKER_ERROR_MS);
    if (this.#hasState) return;
    if (isAgent) this.#turns.agentBegan();
    else this.#turns.agentEnded();
  }

  state(attributes: unknown, participant: unknown): void {
    const state = textAt(attributes, AGENT_STATE);
    if (state === undefined || this.#isLocal(participant)) return;
    this.#hasState = true;
    if (state === 'speaking') return this.#turns.agentBegan();
    this.#turns.agentEnded();
    if (state === 'thinking') this.#turns.userEnded(0, SPEAKER_ERROR_MS);
  }

  words(segments: unknown, participant: unknown): void {
    for (const segment of listAt({ segments }, 'segments')) {
      const [id, text] = [textAt(segment, 'id'), textAt(segment, 'text')];
      if (text === undefined || at(segment, 'final') !== true) continue;
      if (id !== undefined && this.#told.has(id)) continue;
      if (id !== undefined) this.#remember(id);
      if (this.#isLocal(participant)) this.#turns.heard(text);
      else this.#turns.said(text);
    }
  }

  #remember(id: string): void {
    this.#told.add(id);
    const [oldest] = this.#told;
    if (this.#told.size > 256 && oldest !== undefined) this.#told.delete(oldest);
  }

  #isLocal(participant: unknown): boolean {
    return (
      participant === propertyOf(this.#room, 'localParticipant') ||
      propertyOf(participant, 'isLocal') === true
    );
  }
}

interface Followed {
  readonly stream: string;
  readonly deltas: StatsDeltas;
  lookedAt: DomainNs | undefined;
}

/** The statistics of audio tracks, as the page may ask for them. */
class TrackStats {
  readonly #port: SessionPort;
  readonly #tracks = new Map<object, Followed>();
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(port: SessionPort) {
    this.#port = port;
  }

  add(track: unknown, stream: string): void {
    const isAudio =
      textAt(track, 'kind') === 'audio' && typeof track === 'object' && track !== null;
    if (!isAudio || this.#isStopped || this.#tracks.has(track)) return;
    if (this.#tracks.size >= TRACKS_MAX) return;
    const same = [...this.#tracks.values()].filter(one => one.stream.startsWith(stream)).length;
    const name = same === 0 ? stream : `${stream}-${same + 1}`;
    this.#tracks.set(track, { stream: name, deltas: new StatsDeltas(), lookedAt: undefined });
    this.#timer ??= this.#port.timers.after(STATS_EVERY_MS, () => this.#look());
  }

  remove(track: unknown): void {
    if (typeof track === 'object' && track !== null) this.#tracks.delete(track);
  }

  stop(): void {
    this.#isStopped = true;
    this.#tracks.clear();
    this.#timer?.cancel();
  }

  #look(): void {
    this.#timer = undefined;
    for (const [track, followed] of this.#tracks)
      this.#port.problems.guard('livekit-room', () => this.#ask(track, followed));
    if (this.#tracks.size > 0)
      this.#timer = this.#port.timers.after(STATS_EVERY_MS, () => this.#look());
  }

  #ask(track: object, followed: Followed): void {
    const ask = propertyOf(track, 'getRTCStatsReport');
    if (typeof ask !== 'function') return;
    const take = (report: unknown): void => {
      if (!(report instanceof Map) || this.#isStopped) return;
      const fromAt = followed.lookedAt;
      const toAt = this.#port.clock.now();
      followed.lookedAt = toAt;
      const figures = followed.deltas.add(report.values());
      if (figures === undefined || fromAt === undefined) return;
      const { role } = this.#port;
      this.#port.mediaInterval({ stream: followed.stream, role, fromAt, toAt, figures });
    };
    const failed = (): void => undefined;
    Promise.resolve(Reflect.apply(ask, track, []) as unknown)
      .then(take)
      .catch(failed);
  }
}
