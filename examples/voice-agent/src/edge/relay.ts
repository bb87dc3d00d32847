// One call through the edge: a line each way between client and agent, each
// with its delay, jitter and loss. The audio is passed on as it came.

import type { WebSocket } from 'ws';
import { nodeTimers } from '../common/clock.ts';
import { DelayLine, type LineShape } from '../common/delay-line.ts';
import type { Random } from '../common/random.ts';
import { onMessage, sendIfOpen, type Message } from '../common/socket.ts';

export interface Leg {
  readonly from: WebSocket;
  readonly to: WebSocket;
  readonly shape: LineShape;
  readonly random: Random;
}

/** Starts to pass on what comes in on `leg.from`; returns what ends it. */
export function relay(leg: Leg): () => void {
  const line = new DelayLine<Message>({
    shape: leg.shape,
    nowMs: () => performance.now(),
    timers: nodeTimers,
    random: leg.random,
    deliver: message => {
      sendIfOpen(leg.to, message);
    },
  });
  onMessage(leg.from, message => line.send(message, typeof message !== 'string'));
  return () => line.close();
}
