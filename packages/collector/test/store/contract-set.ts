// The contract of a store, third part: what people set (calls that are kept, limits, marks), and how busy
// processes were.

import { expect } from 'vitest';
import type { AnnotationInput, BudgetList } from '@framescope/protocol';
import type { DecodedLoad } from '../../src/decode/types.ts';
import type { BudgetConflict, UnixRange } from '../../src/store/store.ts';
import { derivedOf, detailOf, valueOf } from '../support/derived.ts';
import { batchOf, NOON_NS, seconds } from '../support/spans.ts';
import {
  contract,
  GIVEN,
  type ContractReader,
  type ContractTest,
  type ContractWriter,
} from './contract-test.ts';

const MS = 1e6;
const DAY: UnixRange = {
  fromUnixNs: NOON_NS - seconds(43_200),
  toUnixNs: NOON_NS + seconds(43_200),
};

const set = (
  writer: ContractWriter,
  items: readonly (readonly [string, number | null])[],
  revision?: number,
) =>
  writer.setBudgets({
    items: items.map(([measure, limitNs]) => ({ measure, limitNs })),
    atUnixNs: NOON_NS,
    ...(revision !== undefined && { revision }),
  });

const shown = (list: BudgetList | BudgetConflict): string[] =>
  ('items' in list ? list : list.now).items.map(
    one => `${one.measure} ${(one.limitNs ?? Number.NaN) / MS} ${one.source}`,
  );

/** A session of three turns of 500, 750 and 900 ms, counted by a limit of 800. */
async function threeTurns(writer: ContractWriter, key: string): Promise<void> {
  const values = [500, 750, 900].map((ms, i) => valueOf(key, i + 1, { valueNs: ms * MS }));
  const none = { p50Ns: null, p95Ns: null, p99Ns: null, p999Ns: null };
  const voiceToVoice = { n: 3, censored: 0, ...none, maxNs: 900 * MS, definition: 'client' };
  const session = { ...detailOf({ key }), overBudgetCount: 1, voiceToVoice };
  await writer.commitDerived([
    { ...derivedOf({ key }, { values }), session: session as typeof session & never },
  ]);
}

/** Turns over budget as lists tell them and as filters do. */
async function counts(reader: ContractReader): Promise<string[]> {
  const { items } = await reader.sessions({ limit: 500 });
  const facets = new Map<string, number | undefined>();
  await reader.scanFacets(DAY, one => {
    facets.set(one.key, one.facets.counts['overbudget']);
    return true;
  });
  return items.map(one => `${one.overBudgetCount} ${facets.get(one.key)}`);
}

async function tidyAll(writer: ContractWriter): Promise<void> {
  while (await writer.tidy(NOON_NS + seconds(86_400)));
}

const loadAt = (atS: number, producer: string, figures: DecodedLoad['figures']): DecodedLoad => ({
  producer: producer.repeat(8),
  domain: 'cd'.repeat(8),
  resource: { attributes: { 'service.name': 'voice-agent', 'process.pid': 7 } },
  startUnixNs: NOON_NS + seconds(atS - 1),
  endUnixNs: NOON_NS + seconds(atS),
  figures,
});

export const SET_CONTRACT: readonly ContractTest[] = [
  contract('a call is kept, found as kept, and let go', async open => {
    const { writer, reader } = await open();
    for (const key of ['a', 'b', 'c']) await writer.commitDerived([derivedOf({ key })]);
    expect(await writer.pin('nobody', '', NOON_NS)).toBe('unknown');
    const pin = await writer.pin('b', "the caller's", NOON_NS);
    expect(pin).toMatchObject({ sessionKey: 'b', sessionId: 'call b', note: "the caller's" });
    expect(await writer.pin('b', 'again', NOON_NS + seconds(1))).toMatchObject({
      note: 'again',
      atUnixNs: String(NOON_NS),
    });
    await writer.pin('c', '', NOON_NS + seconds(2));
    expect((await reader.pins()).map(one => `${one.sessionKey} ${one.note}`)).toEqual([
      'c ',
      'b again',
    ]);
    const listed = await reader.sessions({ limit: 9 });
    expect(listed.items.flatMap(one => (one.pinned ? one.key : [])).toSorted()).toEqual(['b', 'c']);
    expect((await reader.session('b'))?.pinned).toBe(true);
    expect((await reader.session('a'))?.pinned).toBeUndefined();
    const kept: string[] = [];
    await reader.scanFacets(DAY, one => {
      if (one.isPinned()) kept.push(one.key);
      return true;
    });
    expect(kept.toSorted()).toEqual(['b', 'c']);
    // Assembly knows nothing of it, and writes the session again.
    await writer.commitDerived([derivedOf({ key: 'b', commit: 2 })]);
    expect((await reader.session('b'))?.pinned).toBe(true);
    expect(await writer.unpin('b')).toBe(true);
    expect(await writer.unpin('b')).toBe(false);
    expect((await reader.session('b'))?.pinned).toBeUndefined();
    expect((await reader.pins()).map(one => one.sessionKey)).toEqual(['c']);
  }),

  contract('limits that the page sets go before those given, and stay', async open => {
    const store = await open();
    const { writer, reader } = store;
    const list = async (): Promise<string[]> => shown(await reader.budgets(GIVEN));
    expect(await list()).toEqual(['frame 300 file', 'voice_to_voice 800 default']);
    const changed = await set(writer, [
      ['voice_to_voice', 700 * MS],
      ['part.inference', 250 * MS],
    ]);
    expect(changed).toMatchObject({ revision: 1, changedUnixNs: String(NOON_NS) });
    expect(await list()).toEqual([
      'frame 300 file',
      'part.inference 250 page',
      'voice_to_voice 700 page',
    ]);
    expect(await writer.limits()).toMatchObject({ 'part.inference': 250 * MS });
    // Of two who edit at once the second is told, and nothing is changed.
    expect(await set(writer, [], 0)).toMatchObject({ conflict: true, now: { revision: 1 } });
    const again = await store.again();
    expect(await again.limits()).toMatchObject({ voice_to_voice: 700 * MS });
    await set(again, [['frame', null]], 1);
    expect(await list()).toEqual(['frame NaN page', 'voice_to_voice 800 default']);
  }),

  contract('with another limit the turns over it are counted again', async open => {
    const { writer, reader } = await open();
    for (let i = 0; i < 5; i++) await threeTurns(writer, `call${i}`);
    await tidyAll(writer);
    await threeTurns(writer, 'late');
    expect(await counts(reader)).toEqual(Array.from({ length: 6 }, () => '1 1'));
    await set(writer, [['voice_to_voice.client', 600 * MS]]);
    await tidyAll(writer);
    expect(await counts(reader)).toEqual(Array.from({ length: 6 }, () => '2 2'));
    await set(writer, [['voice_to_voice', null]]);
    await tidyAll(writer);
    expect(await counts(reader)).toEqual(Array.from({ length: 6 }, () => '0 0'));
  }),

  contract('a mark is taken away by its ID', async open => {
    const { writer, reader } = await open();
    const note: AnnotationInput = {
      kind: 'deploy',
      text: '2.5.0',
      attributes: {},
      atUnixNs: String(NOON_NS),
      endUnixNs: null,
    };
    const kept = await writer.annotate(note);
    const other = await writer.annotate({ ...note, atUnixNs: String(NOON_NS + 1n) });
    expect(await writer.removeAnnotation('12345')).toBe(false);
    expect(await writer.removeAnnotation('no number')).toBe(false);
    expect(await writer.removeAnnotation(kept.id)).toBe(true);
    expect(await writer.removeAnnotation(kept.id)).toBe(false);
    expect(await reader.annotations(DAY)).toEqual([other]);
  }),

  contract(
    'load comes back in columns of time, a row of one process and second once',
    async open => {
      const { writer, reader } = await open();
      const loads = [
        loadAt(1, 'ab', { calls: 2, lagMaxNs: 5e6, lagMeanNs: 2e6, busy: 0.5, cpu: 0.25 }),
        loadAt(2, 'ab', { calls: 4, lagMaxNs: 3e6, lagMeanNs: 4e6, busy: 0.75, rssBytes: 1e8 }),
        loadAt(2, 'ef', { waiting: { llm: 3, tts: 1 } }),
        loadAt(3, 'ef', { waiting: { llm: 1, tts: 2 } }),
        loadAt(70, 'ab', { calls: 1 }),
      ];
      await writer.commit({ ...batchOf([]), loads });
      await writer.commit({ ...batchOf([]), loads: loads.slice(0, 2) });
      const found = await reader.loads({
        fromUnixNs: NOON_NS,
        toUnixNs: NOON_NS + seconds(120),
        columnNs: seconds(60),
      });
      const nothing = { lagMaxNs: null, lagMeanNs: null, busy: null, cpu: null, rssBytes: null };
      const ofOne = {
        producer: 'ab'.repeat(8),
        domain: 'cd'.repeat(8),
        resource: { 'service.name': 'voice-agent', 'process.pid': 7 },
      };
      const byProcess = found.toSorted((a, b) =>
        `${a.producer} ${a.column}` < `${b.producer} ${b.column}` ? -1 : 1,
      );
      expect(byProcess).toEqual([
        {
          ...ofOne,
          column: 0,
          samples: 2,
          calls: 4,
          lagMaxNs: 5e6,
          lagMeanNs: 3e6,
          busy: 0.625,
          cpu: 0.25,
          rssBytes: 1e8,
          waiting: {},
        },
        { ...ofOne, ...nothing, column: 1, samples: 1, calls: 1, waiting: {} },
        {
          ...ofOne,
          ...nothing,
          producer: 'ef'.repeat(8),
          column: 0,
          samples: 2,
          calls: null,
          waiting: { llm: 3, tts: 1 },
        },
      ]);
    },
  ),
];
