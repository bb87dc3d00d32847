// The voice agent: one AgentCall for each call that the edge brings, with a
// connection of its own to the models.

import type { WebSocket } from 'ws';
import { AgentCall } from './agent/call.ts';
import { callFromUrl, urlForCall, type CallIdentity } from './common/messages.ts';
import type { Options } from './common/options.ts';
import { closeServer, listen, runProgram, type Running } from './common/process.ts';
import { connect } from './common/socket.ts';
import type { OpenWire } from './common/wire.ts';

async function start(options: Options, openWire: OpenWire): Promise<Running> {
  if (options.models === '') throw new Error('Give the address of the models: --models ws://…');
  const { server, url } = await listen(options.port);
  const answer = async (client: WebSocket, identity: CallIdentity): Promise<void> => {
    const models = await connect(urlForCall(options.models, identity), 'models');
    await AgentCall.start({ client, models, identity, options, openWire });
  };
  server.on('connection', (client, request) => {
    const call = callFromUrl(request.url);
    if (call === undefined) return client.close(1008, 'the URL needs ?session=');
    // Nothing is read, so nothing is lost, before there is somebody to hear it.
    client.pause();
    answer(client, call)
      .catch(error => {
        process.stderr.write(`agent: ${String(error)}\n`);
        client.close(1011, 'no models');
      })
      .finally(() => client.resume());
  });
  return { url, stop: () => closeServer(server) };
}

runProgram('agent', start);
