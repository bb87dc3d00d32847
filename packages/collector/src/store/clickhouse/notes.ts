// What is noted once in the store itself: by topic and name, the value written last counts.

import type { Client } from './client.ts';

export async function notesIn(client: Client, topic: string): Promise<Map<string, unknown>> {
  const rows = await client.rows<{ name: string; value: string }>(
    `SELECT name, value FROM ${client.table('framescope_note')} FINAL WHERE topic = {topic:String}`,
    { topic },
  );
  return new Map(rows.map(row => [row.name, JSON.parse(row.value) as unknown]));
}

/** `version` rises from note to note. */
export async function noteIn(
  client: Client,
  note: {
    readonly topic: string;
    readonly name: string;
    readonly value: unknown;
    readonly version: number;
  },
): Promise<void> {
  await client.insert(client.table('framescope_note'), [
    { ...note, value: JSON.stringify(note.value) },
  ]);
}
