// The browser's end of a call with a LiveKit agent: a page with LiveKit's own client and our adapter
// (traceLiveKitRoom). There is no server between them, so what the server would tell the room is told
// from the agent's lines, a network later.
//
//   node room.mjs URL ROOM SCRIPT COMMAND…     COMMAND: the agent's program, without the script

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Framescope } from '@framescope/instrument';
import { traceLiveKitRoom } from '@framescope/instrument/livekit-room';
import { ParticipantKind, RemoteParticipant, Room, RoomEvent } from 'livekit-client';

const [, , url = '', roomName = '', script = '', program = '', ...args] = process.argv;
const NETWORK_MS = 40;

const scope = new Framescope({ serviceName: 'browser', role: 'client', endpoint: url });
const session = scope.startSession({ id: roomName, authority: true });
const room = new Room();
const agent = new RemoteParticipant(
  undefined,
  'PA_1',
  'agent-1',
  'Agent',
  '',
  {},
  undefined,
  ParticipantKind.AGENT,
);
traceLiveKitRoom(room, { session });

const child = spawn(program, [...args, script], {
  env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: url },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const speakers = list => room.emit(RoomEvent.ActiveSpeakersChanged, list);
const state = async name => {
  await sleep(NETWORK_MS);
  room.emit(RoomEvent.ParticipantAttributesChanged, { 'lk.agent.state': name }, agent);
};
const tell = {
  speech_started: () => speakers([room.localParticipant]),
  speech_ended: () => speakers([]),
  turn_completed: () => state('thinking'),
  first_frame_sent: () => state('speaking'),
  playback_ended: () => state('listening'),
};
for await (const line of createInterface({ input: child.stdout })) {
  if (!line.startsWith('{')) continue;
  process.stdout.write(`${line}\n`);
  void tell[JSON.parse(line).what]?.();
}
await sleep(500);
await session.end();
await scope.shutdown();
process.exit(child.exitCode ?? 0);
