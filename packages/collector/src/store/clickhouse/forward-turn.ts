// Which collector hands spans on to a target, of those that were told to: one at a time, so that none is
// sent by two. How far it came is noted in the store; when it dies, another goes on from there (and what it
// had sent since the last note goes out again, with the same IDs).

import type { ForwardTurn } from '../store.ts';
import type { Client } from './client.ts';
import { Living, ownerOf } from './living.ts';
import { noteIn, notesIn } from './notes.ts';

const TOPIC = 'forward';

export function forwardTurn(of: {
  readonly client: Client;
  readonly collector: string;
  /** Names the target, the same at each collector. */
  readonly target: string;
  readonly nowMs: () => number;
}): ForwardTurn {
  const { client, collector, target, nowMs } = of;
  const role = `forward ${target}`;
  const living = new Living({ client, collector, role, nowMs });
  let version = 0;
  return {
    isOurs: async () => {
      await living.beat();
      return ownerOf(role, await living.all()) === collector;
    },
    place: async () => {
      const noted = (await notesIn(client, TOPIC)).get(target);
      return (noted as { readonly commit: number } | undefined)?.commit;
    },
    note: commit => {
      version = Math.max(version + 1, nowMs() * 1_000);
      return noteIn(client, { topic: TOPIC, name: target, value: { commit }, version });
    },
  };
}
