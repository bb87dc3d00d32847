// The edge relay: between the caller's access network and the agent. This is
// where the line is made bad, in both directions.

import type { WebSocket } from 'ws';
import type { LineShape } from './common/delay-line.ts';
import { callFromUrl, urlForCall, type CallIdentity } from './common/messages.ts';
import { slowness, type Options } from './common/options.ts';
import { closeServer, listen, runProgram, type Running } from './common/process.ts';
import { randomFrom } from './common/random.ts';
import { connect } from './common/socket.ts';
import type { Wires } from './common/wire.ts';
import { relay } from './edge/relay.ts';

async function start(options: Options, { open: openWire }: Wires): Promise<Running> {
  if (options.agent === '') throw new Error('Give the address of the agent: --agent ws://…');
  const { server, url } = await listen(options.port);
  const join = async (client: WebSocket, call: CallIdentity): Promise<void> => {
    const { socket: agent } = await connect(urlForCall(options.agent, call), 'agent');
    const random = randomFrom(call.seed, 'line');
    relay({
      callId: call.session,
      client,
      agent,
      shape: shapeOf(options, call.seed),
      random,
      openWire,
    });
  };
  server.on('connection', (client, request) => {
    const call = callFromUrl(request.url);
    if (call === undefined) return client.close(1008, 'the URL needs ?session=');
    // Nothing is read, so nothing is lost, before the way on is open.
    client.pause();
    join(client, call)
      .catch(error => {
        process.stderr.write(`edge: ${String(error)}\n`);
        client.close(1011, 'no agent');
      })
      .finally(() => client.resume());
  });
  return { url, stop: () => closeServer(server) };
}

/** A slow line is slow for the whole call. */
function shapeOf(options: Options, seed: number): LineShape {
  return {
    delayMs: options.delay + slowness(options, 'edge', seed)(),
    jitterMs: options.jitter,
    loss: options.loss / 100,
  };
}

runProgram('edge', start);
