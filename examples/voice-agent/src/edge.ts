// The edge relay: between the caller's access network and the agent. This is
// where the line is made bad, in both directions.

import type { WebSocket } from 'ws';
import type { LineShape } from './common/delay-line.ts';
import { callFromUrl, urlForCall, type CallIdentity } from './common/messages.ts';
import { readOptions, slownessMs, type Options } from './common/options.ts';
import { announceReady, closeServer, listen, onStop, runProgram } from './common/process.ts';
import { randomFrom } from './common/random.ts';
import { connect } from './common/socket.ts';
import { relay } from './edge/relay.ts';

async function main(): Promise<void> {
  const options = readOptions('edge', process.argv.slice(2));
  if (options === undefined) return;
  if (options.agent === '') throw new Error('Give the address of the agent: --agent ws://…');
  const { server, url } = await listen(options.port);
  server.on('connection', (client, request) => {
    const call = callFromUrl(request.url);
    if (call === undefined) client.close(1008, 'the URL needs ?session=');
    else void joinCall(client, call, options);
  });
  onStop(() => closeServer(server));
  announceReady('edge', url);
}

async function joinCall(client: WebSocket, call: CallIdentity, options: Options): Promise<void> {
  // Nothing is read, so nothing is lost, before the way on is open.
  client.pause();
  const agent = await connect(urlForCall(options.agent, call), 'agent').catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    client.resume();
    client.close(1011, 'no agent');
    return undefined;
  });
  if (agent === undefined) return;
  const shape = shapeOf(options);
  const random = randomFrom(call.seed, 'line');
  const legs = [
    relay({ from: client, to: agent, shape, random }),
    relay({ from: agent, to: client, shape, random }),
  ];
  const end = (): void => {
    for (const close of legs) close();
    client.close();
    agent.close();
  };
  client.on('close', end);
  agent.on('close', end);
  client.resume();
}

function shapeOf(options: Options): LineShape {
  return {
    delayMs: options.delay + slownessMs(options, 'edge'),
    jitterMs: options.jitter,
    loss: options.loss / 100,
  };
}

runProgram(main);
