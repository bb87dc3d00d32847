// The voice agent: one AgentCall for each call that the edge brings, with a
// connection of its own to the models. A call whose relay went away is kept for a
// while: when it comes back over another, it goes on where it was.

import type { WebSocket } from 'ws';
import { AgentCall } from './agent/call.ts';
import { callFromUrl, urlForCall, type CallIdentity } from './common/messages.ts';
import type { Options } from './common/options.ts';
import { closeServer, listen, runProgram, type Running } from './common/process.ts';
import { connect } from './common/socket.ts';
import type { Wires } from './common/wire.ts';

async function start(options: Options, { open: openWire }: Wires): Promise<Running> {
  if (options.models === '') throw new Error('Give the address of the models: --models ws://…');
  const { server, url } = await listen(options.port);
  const calls = new Map<string, AgentCall>();
  const answer = async (client: WebSocket, identity: CallIdentity): Promise<void> => {
    const { session } = identity;
    const known = calls.get(session);
    if (known !== undefined) return known.resume(client);
    const { socket: models } = await connect(urlForCall(options.models, identity), 'models');
    const onEnd = (): void => void calls.delete(session);
    const call = await AgentCall.start({ client, models, identity, options, openWire, onEnd });
    if (!call.isOver) calls.set(session, call);
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
  const stop = async (): Promise<void> => {
    await closeServer(server);
    for (const call of calls.values()) call.close();
  };
  return { url, stop };
}

runProgram('agent', start);
