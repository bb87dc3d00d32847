// One WebSocket end of a call: frames and messages in and out. All tracing that
// the transport needs is here, once for client, edge, agent and models.

import { Framescope, skewedClock, systemClock, type Session } from '@framescope/instrument'; // trace
import type { WebSocket } from 'ws';
import { FRAME_SAMPLES } from './audio.ts';
import { parseMessage, type CallMessage } from './messages.ts';
import type { Program, Skew } from './options.ts';
import { decodePacket, encodePacket, tickOf, type Packet } from './packet.ts';
import { onMessage, sendIfOpen, type Message } from './socket.ts';

const MESSAGES = ['clear', 'cleared', 'agent_done', 'bye'] as const;

/** How the two kinds of things on a connection look, and where audio stands on its stream. */
export interface Codec<In, Out> {
  readonly encode: (item: Out) => Message;
  readonly decode: (message: Message) => In | undefined;
  /** Undefined for what is no audio. */
  readonly placeOf: (item: In | Out) => { tick: number; samples: number } | undefined;
}

export interface WireEnd<In, Out> {
  readonly socket: WebSocket;
  /** The call's ID, the same in every process. */
  readonly callId: string;
  readonly incoming: 'mic' | 'agent';
  readonly outgoing: 'mic' | 'agent';
  /** What coming in and going out are called here. */
  readonly hops: { readonly in: string; readonly out: string };
  readonly codec: Codec<In, Out>;
  readonly receive: (item: In) => void;
}

export interface Wire<Out = CallItem> {
  readonly call: Session; // trace
  turn?: ReturnType<Session['startTurn']>; // trace
  readonly send: (item: Out) => void;
}

/** Opens an end; `beside`: another end in this process that the call passes through. */
export type OpenWire = <In, Out>(end: WireEnd<In, Out>, beside?: Pick<Wire, 'call'>) => Wire<Out>;

export interface Wires {
  readonly open: OpenWire;
  readonly close: () => Promise<void>;
}

/** `skew`: what is wrong with the client's clock. `endpoint`: the collector. */
export function makeWires(role: Program, skew: Skew, endpoint: string): Wires {
  const clock = role === 'client' ? skewedClock(skew) : systemClock(); // trace
  const name = { serviceName: `voice-${role}`, role }; // trace
  // Whoever stops the example does not want to wait for a collector that is gone.
  const scope = new Framescope({ ...name, endpoint, clock, shutdownMs: 1_400 }); // trace
  const open: OpenWire = (end, beside) => {
    const session = beside?.call ?? scope.startSession({ id: end.callId }); // trace
    end.socket.once('close', () => void session.end()); // trace
    return { call: session, send: openWire(end, session) };
  };
  return { open, close: () => scope.shutdown() }; // trace
}

function openWire<In, Out>(end: WireEnd<In, Out>, session: Session): (item: Out) => void {
  const { socket, incoming, outgoing, hops, codec, receive } = end;
  const link = session.link(); // trace
  onMessage(socket, tagged => {
    const message = link.untag(tagged); // trace
    const item = message === undefined ? undefined : codec.decode(message);
    if (item === undefined) return;
    const at = codec.placeOf(item);
    if (at) session.stream(incoming).hop(hops.in).markAt(at.tick, at.samples); // trace
    receive(item);
  });
  return item => {
    const at = codec.placeOf(item);
    if (at) sendIfOpen(socket, link.anchor(session.stream(outgoing), at)); // trace
    // Before it goes: whoever is at the other end may be quicker than the next line here.
    if (at) session.stream(outgoing).hop(hops.out).markAt(at.tick, at.samples); // trace
    sendIfOpen(socket, codec.encode(item));
  };
}

export type CallItem = Packet | CallMessage;

/** Between client, edge and agent. */
export const CALL_CODEC: Codec<CallItem, CallItem> = {
  encode: item => ('opus' in item ? encodePacket(item) : JSON.stringify(item)),
  decode: message =>
    typeof message === 'string'
      ? parseMessage<CallMessage>(message, MESSAGES)
      : decodePacket(message),
  placeOf: item => ('opus' in item ? { tick: tickOf(item), samples: FRAME_SAMPLES } : undefined),
};

/** What coming in and going out is called on most connections. */
export const CALL_HOPS = { in: 'receive', out: 'send' } as const;
