// One WebSocket end of a call: frames and messages in and out. All tracing that
// the transport needs is here, once for client, edge and agent.

import { Framescope, skewedClock, systemClock } from '@framescope/instrument'; // trace
import type { Session, Turn } from '@framescope/instrument'; // trace
import type { WebSocket } from 'ws';
import { FRAME_SAMPLES } from './audio.ts';
import { parseMessage, type CallMessage } from './messages.ts';
import type { Program, Skew } from './options.ts';
import { decodePacket, encodePacket, tickOf, type Packet } from './packet.ts';
import { onMessage, sendIfOpen, type Message } from './socket.ts';

const MESSAGES = ['clear', 'cleared', 'agent_done', 'bye'] as const;

export interface WireEnd {
  readonly socket: WebSocket;
  /** The call's ID, the same in every process. */
  readonly callId: string;
  readonly incoming: 'mic' | 'agent';
  readonly outgoing: 'mic' | 'agent';
  readonly receive: (item: Packet | CallMessage) => void;
}

export interface Wire {
  readonly call: Session; // trace
  turn?: Turn; // trace
  readonly send: (item: Packet | CallMessage) => void;
}

/** Opens an end; `beside`: the other end in this process, if the call passes through. */
export type OpenWire = (end: WireEnd, beside?: Wire) => Wire;

export interface Wires {
  readonly open: OpenWire;
  readonly close: () => Promise<void>;
}

/** `skew`: what is wrong with the client's clock. `endpoint`: the collector. */
export function makeWires(role: Program, skew: Skew, endpoint: string): Wires {
  const clock = role === 'client' ? skewedClock(skew) : systemClock(); // trace
  const scope = new Framescope({ serviceName: `voice-${role}`, role, endpoint, clock }); // trace
  const open = (end: WireEnd, beside?: Wire): Wire => {
    const session = beside?.call ?? scope.startSession({ id: end.callId }); // trace
    end.socket.once('close', () => void session.end()); // trace
    return { call: session, send: openWire(end, session) };
  };
  return { open, close: () => scope.shutdown() }; // trace
}

function openWire(end: WireEnd, session: Session): Wire['send'] {
  const { socket, receive } = end;
  const link = session.link(); // trace
  const [incoming, outgoing] = [session.stream(end.incoming), session.stream(end.outgoing)]; // trace
  onMessage(socket, tagged => {
    const item = decode(link.untag(tagged)); // trace
    if (item === undefined) return;
    if ('opus' in item) incoming.hop('receive').markAt(tickOf(item), FRAME_SAMPLES); // trace
    receive(item);
  });
  return item => {
    if (!('opus' in item)) return void sendIfOpen(socket, JSON.stringify(item));
    sendIfOpen(socket, link.anchor(outgoing, { tick: tickOf(item) })); // trace
    sendIfOpen(socket, encodePacket(item));
    outgoing.hop('send').markAt(tickOf(item), FRAME_SAMPLES); // trace
  };
}

function decode(message: Message | undefined): Packet | CallMessage | undefined {
  if (message === undefined) return undefined;
  if (typeof message === 'string') return parseMessage<CallMessage>(message, MESSAGES);
  return decodePacket(message);
}
