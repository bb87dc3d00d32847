// The secret that signs ingest tokens, one for all collectors of a database: a token that one made is good
// at each. The first that comes makes it.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './client.ts';
import { noteIn, notesIn } from './notes.ts';
import type { ClickHouseSettings } from './settings.ts';

const TOPIC = 'ingest tokens';
const BYTES = 32;
/** Of two that came at the same time both see after this which of theirs it is. */
const SETTLED_MS = 1_000;
const FIRST_COUNTS = 2 ** 53;

/** The tables must have been made. @throws {StoreError} */
export async function sharedSecret(settings: ClickHouseSettings): Promise<Uint8Array> {
  const client = new Client(settings);
  const noted = async (): Promise<string | undefined> =>
    (await notesIn(client, TOPIC)).get('secret') as string | undefined;
  try {
    const known = await noted();
    if (known !== undefined) return Buffer.from(known, 'hex');
    const value = randomBytes(BYTES).toString('hex');
    const version = FIRST_COUNTS - Date.now() * 1_000;
    await noteIn(client, { topic: TOPIC, name: 'secret', value, version });
    await sleep(SETTLED_MS);
    return Buffer.from((await noted()) ?? value, 'hex');
  } finally {
    await client.close();
  }
}
