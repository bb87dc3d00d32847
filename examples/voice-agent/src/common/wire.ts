// One WebSocket end of a call: frames and messages in and out. All tracing that
// the transport needs is here, once for client, edge, agent and models.

import { Framescope, Link, skewedClock, systemClock, type Session } from '@framescope/instrument'; // trace
import type { WebSocket } from 'ws';
import { FRAME_SAMPLES } from './audio.ts';
import { parseMessage, type CallMessage } from './messages.ts';
import type { Program, Skew } from './options.ts';
import { decodePacket, encodePacket, tickOf, type Packet } from './packet.ts';
import { onMessage, sendIfOpen, type Message } from './socket.ts';

const MESSAGES = ['clear', 'cleared', 'agent_done', 'resumed', 'bye'] as const;

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
  /** How the call came about, each so many ms ago. */
  readonly setup?: { readonly call_started: number; readonly signalled: number };
}

export interface Wire<Out = CallItem> {
  readonly call: Session; // trace
  turn?: ReturnType<Session['startTurn']>; // trace
  /** False when the connection takes nothing: the item is gone. */
  readonly send: (item: Out) => boolean;
  /** The call goes on over another connection. */
  readonly attach: (socket: WebSocket) => void;
  /** The call is over here. */
  readonly close: () => void;
}

/** Opens an end; `beside`: another end in this process that the call passes through. */
export type OpenWire = <In, Out>(end: WireEnd<In, Out>, beside?: Pick<Wire, 'call'>) => Wire<Out>;

export interface Wires {
  readonly open: OpenWire;
  /** Tells how much of something waits in this process. */
  readonly gauge: (name: string, value: number) => void;
  readonly close: () => Promise<void>;
}

/** Who a process is, and what is wrong with its clock. */
export interface ProcessOptions {
  readonly role: Program;
  readonly region: string;
  readonly instance: string;
  readonly skew: Skew;
  /** The collector. */
  readonly endpoint: string;
}

export function makeWires({ role, region, instance, skew, endpoint }: ProcessOptions): Wires {
  const clock = role === 'client' ? skewedClock(skew) : systemClock(); // trace
  const who = { serviceName: `voice-${role}`, role, resource: placeOf(region, instance) };
  // Whoever stops the example does not want to wait for a collector that is gone.
  const scope = new Framescope({ ...who, endpoint, clock, shutdownMs: 1_400 }); // trace
  const attributes = region === '' || role !== 'client' ? {} : { region };
  const open: OpenWire = (end, beside) => {
    const { setup = {} } = end;
    const session = beside?.call ?? scope.startSession({ id: end.callId, attributes, setup }); // trace
    return { call: session, ...openWire(end, session), close: () => void session.end() }; // trace
  };
  const gauge = (queue: string, waiting: number): void => scope.gauge(queue, waiting); // trace
  return { open, gauge, close: () => scope.shutdown() }; // trace
}

/** What the resource says beside the service. */
const placeOf = (region: string, instance: string): Record<string, string> => ({
  ...(region === '' ? {} : { 'cloud.region': region }),
  ...(instance === '' ? {} : { 'service.instance.id': instance }),
});

function openWire<In, Out>(
  end: WireEnd<In, Out>,
  session: Wire['call'],
): Pick<Wire<Out>, 'send' | 'attach'> {
  const { incoming, outgoing, hops, codec, receive } = end;
  const lineOver = (socket: WebSocket): { socket: WebSocket; link: Link } => {
    const link = new Link(session); // trace
    onMessage(socket, tagged => {
      const message = link.untag(tagged); // trace
      const item = message === undefined ? undefined : codec.decode(message);
      if (item === undefined || socket !== line.socket) return;
      const at = codec.placeOf(item);
      if (at) session.stream(incoming).hop(hops.in).markAt(at.tick, at.samples); // trace
      receive(item);
    });
    return { socket, link };
  };
  let line = lineOver(end.socket);
  const attach = (socket: WebSocket): void => {
    line = lineOver(socket);
  };
  const send = (item: Out): boolean => {
    const { socket, link } = line;
    if (socket.readyState !== socket.OPEN) return false;
    const at = codec.placeOf(item);
    if (at) sendIfOpen(socket, link.anchor(session.stream(outgoing), at)); // trace
    // Before it goes: whoever is at the other end may be quicker than the next line here.
    if (at) session.stream(outgoing).hop(hops.out).markAt(at.tick, at.samples); // trace
    return sendIfOpen(socket, codec.encode(item));
  };
  return { send, attach };
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
