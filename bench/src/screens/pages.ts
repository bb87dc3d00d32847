// Which pages there are, in which states, and where each stands.

import { sessionKey } from '@framescope/protocol';

export const HOUR_ID = 'an-hour-long-call';
export const CALL_ID = 'a-call-with-every-hop';
export const LIVE_ID = 'live-now';
export const LONG_TRACE: string = 'ab'.repeat(16);

export type StateName = 'full' | 'live' | 'huge' | 'empty' | 'loading' | 'away' | 'missing';

export interface Shot {
  readonly page: string;
  readonly state: StateName;
  readonly path: string;
  /** Pressed one after the other once the page is there. */
  readonly keys?: readonly string[];
  /** What is clicked then, by its text. */
  readonly presses?: readonly string[];
  /** A file of audio, opened once the page is there. */
  readonly file?: string;
  /** Dragged over once the page is there, in shares of this element. */
  readonly drag?: {
    readonly on: string;
    readonly from: readonly [number, number];
    readonly to: readonly [number, number];
  };
}

/** Of the sheet. */
export const nameOf = ({ page, state }: Shot): string => `${page}-${state}`;

export interface Known {
  /** Tick of a turn of the call with every hop. */
  readonly turnTick: number;
  readonly turnTraceId: string;
  /** A WAV of that call. */
  readonly recording: string;
}

const call = `/sessions/${sessionKey(CALL_ID)}`;
const hour = `/sessions/${sessionKey(HOUR_ID)}`;
/** Frames of all calls at the agent's door: the hour's and the day's. */
const FRAMES = '/tail?measure=frame.mic.agent%2Freceive&range=6h';
const live = (id: string): string => `/sessions/${sessionKey(id)}`;

export function shotsOf({ turnTick, turnTraceId, recording }: Known): Shot[] {
  const turn = `${call}?turn=${turnTick}`;
  const box = {
    on: '.heat canvas',
    from: [0.1, 0.02],
    to: [0.95, 0.36],
  } as const;
  return [
    { page: 'find', state: 'full', path: '/' },
    { page: 'find', state: 'live', path: '/' },
    { page: 'find-hits', state: 'full', path: '/?q=order' },
    { page: 'sessions', state: 'full', path: '/sessions' },
    { page: 'sessions', state: 'live', path: '/sessions' },
    { page: 'session', state: 'full', path: turn },
    { page: 'session', state: 'live', path: live(LIVE_ID) },
    { page: 'session-recording', state: 'full', path: turn, file: recording },
    { page: 'session', state: 'huge', path: hour },
    { page: 'tail', state: 'full', path: '/tail?range=24h' },
    { page: 'tail-selection', state: 'full', path: '/tail?range=24h', drag: box },
    { page: 'tail', state: 'huge', path: FRAMES },
    { page: 'tail-why', state: 'full', path: '/tail?range=24h&pick=slow' },
    { page: 'tail-groups', state: 'full', path: '/tail?range=24h&group=region' },
    { page: 'compare', state: 'full', path: '/compare' },
    { page: 'traces', state: 'full', path: '/traces' },
    { page: 'places', state: 'full', path: '/places' },
    { page: 'places', state: 'live', path: '/places' },
    { page: 'collector', state: 'full', path: '/collector' },
    { page: 'tail', state: 'live', path: '/tail?range=15m&measure=voice_to_voice.server' },
    { page: 'tail-frames-why', state: 'full', path: `${FRAMES}&pick=slow` },
    { page: 'tail-mark', state: 'full', path: '/tail?range=24h', presses: ['Mark'] },
    { page: 'session-export', state: 'full', path: turn, presses: ['Export'] },
    { page: 'session-far', state: 'full', path: call },
    {
      page: 'trace',
      state: 'full',
      path: `/traces/${turnTraceId}`,
      keys: ['ArrowDown', 'ArrowDown'],
    },
    { page: 'trace', state: 'huge', path: `/traces/${LONG_TRACE}` },
    { page: 'help', state: 'full', path: '/', keys: ['?'] },
    ...(['loading', 'away'] as const).flatMap((state): Shot[] => [
      { page: 'find', state, path: '/' },
      { page: 'sessions', state, path: '/sessions' },
      { page: 'session', state, path: turn },
      { page: 'tail', state, path: '/tail?range=24h' },
      { page: 'traces', state, path: '/traces' },
      { page: 'compare', state, path: '/compare' },
      { page: 'places', state, path: '/places' },
      { page: 'collector', state, path: '/collector' },
      { page: 'trace', state, path: `/traces/${turnTraceId}` },
    ]),
    ...['find', 'sessions', 'tail', 'compare', 'places', 'traces', 'collector'].map(
      (page): Shot => ({
        page,
        state: 'empty',
        path: page === 'find' ? '/' : `/${page}`,
      }),
    ),
    { page: 'session', state: 'missing', path: '/sessions/0000000000000' },
    { page: 'trace', state: 'missing', path: `/traces/${'f'.repeat(32)}` },
  ];
}
