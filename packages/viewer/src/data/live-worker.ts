// The SharedWorker that holds the one event stream of all tabs. See live-hub.ts.

import { api } from './api.ts';
import { LiveHub, type ToHub } from './live-hub.ts';
import { LiveStream } from './live-stream.ts';

const SNAPSHOT_SESSIONS = 100;

const hub = new LiveHub({
  stream: sink => new LiveStream(sink),
  sessions: async () => (await api.sessions({ limit: SNAPSHOT_SESSIONS })).items,
});

addEventListener('connect', event => {
  const port = (event as MessageEvent).ports[0]!;
  port.addEventListener('message', ({ data }: MessageEvent<ToHub>) => hub.take(port, data));
  // Told by newer browsers when a tab dies without a word.
  port.addEventListener('close', () => hub.take(port, 'bye'));
  port.start();
});
