// The voice agent: one AgentCall for each call that the edge brings, with a
// connection of its own to the models.

import type { WebSocket } from 'ws';
import { AgentCall } from './agent/call.ts';
import { callFromUrl, urlForCall, type CallIdentity } from './common/messages.ts';
import { readOptions, type Options } from './common/options.ts';
import { announceReady, closeServer, listen, onStop, runProgram } from './common/process.ts';
import { connect } from './common/socket.ts';

async function main(): Promise<void> {
  const options = readOptions('agent', process.argv.slice(2));
  if (options === undefined) return;
  if (options.models === '') throw new Error('Give the address of the models: --models ws://…');
  const { server, url } = await listen(options.port);
  server.on('connection', (client, request) => {
    const call = callFromUrl(request.url);
    if (call === undefined) client.close(1008, 'the URL needs ?session=');
    else void answer(client, call, options);
  });
  onStop(() => closeServer(server));
  announceReady('agent', url);
}

async function answer(client: WebSocket, identity: CallIdentity, options: Options): Promise<void> {
  // Nothing is read, so nothing is lost, before there is somebody to hear it.
  client.pause();
  try {
    const models = await connect(urlForCall(options.models, identity), 'models');
    await AgentCall.start({ client, models, identity, options });
  } catch (error) {
    process.stderr.write(`agent: ${String(error)}\n`);
    client.close(1011, 'no models');
  }
  client.resume();
}

runProgram(main);
