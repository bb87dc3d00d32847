// Recordings of a session: the list, and the files themselves by ranges, so that a player can seek.

import type { Asker } from '../query/answers.ts';
import { ReadyBytes } from '../query/answers.ts';
import type { Recording, RecordingList, SessionDetail } from '@framescope/protocol';
import type { RecordingStore, StoredRecording } from '../store/recordings.ts';
import { key } from './common-params.ts';
import { API_BASE } from './openapi.ts';
import { ApiError } from './problem.ts';
import { route, type Route } from './route.ts';

/** Rooms are opened again under the same name: a recording is of the call that it overlaps. */
const SLACK_NS = 60_000_000_000n;

export function recordingRoutes(
  asker: Pick<Asker, 'ask'>,
  store: RecordingStore | undefined,
): readonly Route[] {
  return [
    route(
      {
        path: '/sessions/{key}/recordings',
        summary: 'Recordings of a session, oldest first; none unless --recordings keep.',
        params: {},
        id: key,
        schema: 'RecordingList',
      },
      async ({ id }): Promise<RecordingList | undefined> => {
        const session = plain<SessionDetail>(await asker.ask('session', { key: id }));
        if (session === undefined) return undefined;
        const found = store?.of(session.id) ?? [];
        return {
          items: found.filter(one => isOf(one, session)).map(one => recordingOf(one, session)),
        };
      },
    ),
    route(
      {
        path: '/recordings/{recording}',
        summary: 'A recording as it was uploaded; takes byte ranges.',
        params: {},
        id: { name: 'recording', description: 'As the list of its session gives it.' },
        alsoAs: { 'audio/ogg': 'Ogg Opus, left the user, right the agent.' },
      },
      ({ id, response }) => {
        const found = store?.get(id);
        if (found === undefined || store === undefined)
          throw new ApiError(404, 'not_found', `there is no recording "${id.slice(0, 100)}"`);
        response.type(found.contentType);
        // A recording never changes: its ID is made of whose it is and when it began.
        response.setHeader('ETag', `"${found.id}-${found.bytes}"`);
        response.setHeader('Cache-Control', 'private, max-age=3600');
        return new Promise<undefined>((resolve, reject) => {
          response.sendFile(store.path(id), { dotfiles: 'allow', cacheControl: false }, problem => {
            // A player that seeks hangs up on what it does not want: that is no failure of ours.
            if (problem === undefined || response.headersSent) resolve(undefined);
            else reject(isBeyond(problem) ? beyond(found) : problem);
          });
        });
      },
    ),
  ];
}

/** What a reader thread answers has been written out already. */
const plain = <T>(answer: unknown): T | undefined =>
  answer instanceof ReadyBytes
    ? (JSON.parse(Buffer.from(answer.bytes).toString()) as T)
    : (answer as T | undefined);

function isOf({ startUnixNs, durationNs }: StoredRecording, session: SessionDetail): boolean {
  if (startUnixNs === null) return true;
  const start = BigInt(startUnixNs);
  const end = start + BigInt(durationNs ?? 0);
  return (
    start <= BigInt(session.endUnixNs) + SLACK_NS && end >= BigInt(session.startUnixNs) - SLACK_NS
  );
}

function recordingOf(stored: StoredRecording, session: SessionDetail): Recording {
  const { id, source, contentType, bytes, startUnixNs, receivedUnixNs } = stored;
  const { durationNs, channels, sampleRate } = stored;
  const startNs =
    startUnixNs === null ? null : Number(BigInt(startUnixNs) - BigInt(session.zeroUnixNs));
  return {
    id,
    url: `${API_BASE}/recordings/${id}`,
    source,
    contentType,
    bytes,
    startNs,
    startUnixNs,
    durationNs,
    channels,
    sampleRate,
    receivedUnixNs,
  };
}

const isBeyond = (problem: Error): boolean => 'status' in problem && problem.status === 416;

const beyond = ({ bytes }: StoredRecording): ApiError =>
  new ApiError(416, 'range_not_satisfiable', `the recording has ${bytes} bytes`);
