// One call through the edge: a line each way between client and agent, each
// with its delay, jitter and loss.

import type { WebSocket } from 'ws';
import { nodeTimers } from '../common/clock.ts';
import { DelayLine, type LineShape } from '../common/delay-line.ts';
import { isCutOff } from '../common/messages.ts';
import type { Random } from '../common/random.ts';
import { CALL_CODEC, CALL_HOPS, type CallItem, type OpenWire, type Wire } from '../common/wire.ts';

export interface RelayOptions {
  readonly callId: string;
  readonly client: WebSocket;
  readonly agent: WebSocket;
  readonly shape: LineShape;
  readonly random: Random;
  readonly openWire: OpenWire;
}

/** Passes on what comes in on either side, until one of them closes. */
export function relay(options: RelayOptions): void {
  const { callId, client, agent, openWire } = options;
  const up = lineTo(options, () => toAgent);
  const down = lineTo(options, () => toClient);
  const toClient = openWire({
    socket: client,
    callId,
    incoming: 'mic',
    outgoing: 'agent',
    hops: CALL_HOPS,
    codec: CALL_CODEC,
    receive: item => up.send(item, 'opus' in item),
  });
  const toAgent = openWire(
    {
      socket: agent,
      callId,
      incoming: 'agent',
      outgoing: 'mic',
      hops: CALL_HOPS,
      codec: CALL_CODEC,
      receive: item => down.send(item, 'opus' in item),
    },
    toClient,
  );
  const end = (other: WebSocket, code: number): void => {
    up.close();
    down.close();
    // What ended here tells whether the call is over, or goes on over another relay.
    other.close(isCutOff(code) ? 1001 : 1000);
    toClient.close();
  };
  client.once('close', code => end(agent, code));
  agent.once('close', code => end(client, code));
}

function lineTo({ shape, random }: RelayOptions, wire: () => Wire): DelayLine<CallItem> {
  return new DelayLine<CallItem>({
    shape,
    random,
    nowMs: () => performance.now(),
    timers: nodeTimers,
    deliver: item => void wire().send(item),
  });
}
