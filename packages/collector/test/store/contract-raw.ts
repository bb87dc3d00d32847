// The contract of a store, first half: what comes in, once, and how it is read back.

import { SCOPE_NAME } from '@framescope/protocol';
import { expect } from 'vitest';
import { bytesText } from '../../src/decode/bytes-value.ts';
import type { CommitResult, UnixRange } from '../../src/store/store.ts';
import { derivedOf } from '../support/derived.ts';
import { batchOf, flushOf, NOON_NS, seconds, spanOf } from '../support/spans.ts';
import { contract, type ContractTest } from './contract-test.ts';

const DAY_NS = 86_400_000_000_000n;
const DAY: UnixRange = { fromUnixNs: NOON_NS - DAY_NS / 2n, toUnixNs: NOON_NS + DAY_NS / 2n };

/** "2 spans, 1 flush, 3 repeated" */
const told = ({ committed, repeatedCount }: CommitResult): string =>
  `${committed.spanCount} spans, ${committed.flushes.length} flushes, ${repeatedCount} repeated`;

export const RAW_CONTRACT: readonly ContractTest[] = [
  contract(
    'a span sent again is not stored again, in the same batch or in a later one',
    async open => {
      const { writer } = await open();
      expect(told(await writer.commit(batchOf([spanOf('a1'), spanOf('a2'), spanOf('a1')])))).toBe(
        '2 spans, 0 flushes, 1 repeated',
      );
      expect(told(await writer.commit(batchOf([spanOf('a2'), spanOf('a3')])))).toBe(
        '1 spans, 0 flushes, 1 repeated',
      );
    },
  ),

  contract('a flush sent again is not stored again; another part or producer is', async open => {
    const { writer } = await open();
    const flushes = [flushOf('s', 1), flushOf('s', 1), flushOf('s', 1, { part: 1 })];
    expect(told(await writer.commit(batchOf([], flushes)))).toBe('0 spans, 2 flushes, 1 repeated');
    const again = [flushOf('s', 1), flushOf('s', 1, { producer: 'ef'.repeat(8) })];
    expect(told(await writer.commit(batchOf([], again)))).toBe('0 spans, 1 flushes, 1 repeated');
  }),

  contract('a restarted writer tells a late flush from one that is sent again', async open => {
    const { writer, again } = await open();
    const commit = async (to: typeof writer, ...seqs: number[]): Promise<string> =>
      told(
        await to.commit(
          batchOf(
            [],
            seqs.map(seq => flushOf('s', seq)),
          ),
        ),
      );
    await commit(writer, 1, 2, 5);
    const next = await again();
    expect(await commit(next, 3)).toBe('0 spans, 1 flushes, 0 repeated');
    expect(await commit(next, 5, 4, 3, 6)).toBe('0 spans, 2 flushes, 2 repeated');
    expect(await commit(next, 6, 7)).toBe('0 spans, 1 flushes, 1 repeated');
  }),

  contract('a restarted writer knows what is stored, and its commits go on rising', async open => {
    const store = await open();
    const batch = batchOf([spanOf('a1', { sessionId: 's' })], [flushOf('s', 1)]);
    const first = await store.writer.commit(batch);
    const writer = await store.again();
    const again = await writer.commit(
      batchOf([spanOf('a1', { sessionId: 's' }), spanOf('b1')], [flushOf('s', 1)]),
    );
    expect(told(again)).toBe('1 spans, 0 flushes, 2 repeated');
    expect(again.committed.commit).toBeGreaterThan(first.committed.commit);
  }),

  contract(
    'a session.id that comes back within an hour is the same session, later a new one',
    async open => {
      const { writer } = await open();
      const keyAt = async (arrival: bigint, name: string): Promise<string | undefined> =>
        (await writer.commit(batchOf([spanOf(name, { sessionId: 's' })], [], arrival))).committed
          .sessions[0]?.key;
      const first = await keyAt(NOON_NS, 'a1');
      expect(await keyAt(NOON_NS + seconds(3_600), 'a2')).toBe(first);
      const later = await keyAt(NOON_NS + seconds(3_600 + 3_601), 'a3');
      expect(later).not.toBe(first);
      expect(later).toMatch(/^[0-9a-z]{13}$/);
    },
  ),

  contract(
    'a record sent again an hour later is still a repetition, not a new session',
    async open => {
      const { writer } = await open();
      await writer.commit(batchOf([], [flushOf('s', 1)]));
      const again = await writer.commit(batchOf([], [flushOf('s', 1)], NOON_NS + seconds(7_200)));
      expect(told(again)).toBe('0 spans, 0 flushes, 1 repeated');
    },
  ),

  contract(
    'spans that name no session belong to the session that their trace named',
    async open => {
      const { writer, reader } = await open();
      const { committed } = await writer.commit(
        batchOf([spanOf('a2'), spanOf('a1', { sessionId: 's' }), spanOf('b1')]),
      );
      const late = (await writer.commit(batchOf([spanOf('a3')]))).committed;
      const { key } = committed.sessions[0]!;
      const keysOf = async (trace: string): Promise<(string | null)[]> =>
        (await reader.trace(trace.repeat(32), 9))!.spans.map(span => span.sessionKey);
      expect(await keysOf('a')).toEqual([key, key, key]);
      expect(await keysOf('b')).toEqual([null]);
      expect(committed.tallies.map(one => [one.sessionKey, one.count])).toEqual([[key, 2]]);
      expect(late.tallies.map(one => [one.sessionKey, one.count])).toEqual([[key, 1]]);
      expect(late.sessions[0]?.isNew).toBe(false);
    },
  ),

  contract('a session adopts the spans of its traces that came before it was named', async open => {
    const { writer, reader } = await open();
    await writer.commit(batchOf([spanOf('a2'), spanOf('a3'), spanOf('b1')]));
    // Over midnight: where volumes are files, the children stand in another than the root that names the session.
    const later = (second: number): bigint => NOON_NS + seconds(12 * 3_600 + second);
    await writer.commit(batchOf([spanOf('a4'), spanOf('b2')], [], later(0)));
    const { committed } = await writer.commit(
      batchOf([spanOf('a1', { sessionId: 's' })], [], later(1)),
    );
    const { key } = committed.sessions[0]!;
    expect(committed.spanCount).toBe(1);
    expect(committed.tallies.map(one => one.count).toSorted()).toEqual([1, 1, 2]);
    const names = (await reader.sessionSpans(key, 99)).map(span => [span.name, span.sessionKey]);
    expect(names.toSorted()).toEqual(['a1', 'a2', 'a3', 'a4'].map(name => [name, key]));
    const raw = await writer.loadSession(key);
    expect(raw?.tallies.map(one => one.count)).toEqual([2, 1, 1]);
    expect(raw?.lastCommit).toBe(committed.commit);
    // Read again with the root's commit left out, as when that one is ingested by itself: nothing is there.
    expect(raw?.tallies.filter(one => one.commit < committed.commit)).toEqual([]);
    // A second span of the session adopts nothing again.
    const last = await writer.commit(batchOf([spanOf('a5', { sessionId: 's' })], [], later(2)));
    expect(last.committed.tallies.map(one => one.count)).toEqual([1]);
  }),

  contract('pages of traces hold each trace once, the latest first', async open => {
    const { writer, reader } = await open();
    for (const [index, name] of [...'abcdefa'].entries())
      await writer.commit(
        batchOf([spanOf(`${name}${index + 1}`)], [], NOON_NS + seconds(index * 6 * 3_600)),
      );
    const seen: string[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await reader.traces({ limit: 2, ...(cursor && { cursor }) });
      seen.push(...page.items.map(one => `${one.traceId[0]}${one.spanCount}`));
      cursor = page.nextCursor;
    } while (cursor);
    expect(seen.join(' ')).toBe('a2 f1 e1 d1 c1 b1');
  }),

  contract('what a session holds comes back as it was stored', async open => {
    const { writer, reader } = await open();
    const span = spanOf('a1', {
      sessionId: 's',
      parentSpanId: 'e'.repeat(16) as never,
      startUnixNs: 0n,
      endUnixNs: 2n ** 63n - 1n,
      attributes: {
        'session.id': 's',
        text: 'höre 🎙 "quoted" \\ \t\n\0',
        empty: '',
        long: 'x'.repeat(5_000),
        list: [1, null, true],
        map: { deep: ['x'] },
        share: 0.25,
        yes: true,
        negative: -(2 ** 53) + 1,
        __proto__: 1,
      },
      resource: { attributes: { 'service.name': 'svc', port: 4318 } },
      scope: SCOPE_NAME,
      events: [
        { name: 'e', atUnixNs: 7n, attributes: { a: 1 } },
        { name: 'f', atUnixNs: 8n, attributes: {}, dropped: 3 },
      ],
      links: [
        { traceId: 'b'.repeat(32), spanId: 'c'.repeat(16), attributes: {} },
        {
          traceId: 'b'.repeat(32),
          spanId: 'd'.repeat(16),
          attributes: { bytes: bytesText('AA==') },
          traceState: 'x=y',
          flags: 0x100,
          dropped: 4,
        },
      ],
      traceState: 'ot=th:c',
      flags: 0x301,
      dropped: { attributes: 2, links: 1 },
      scopeVersion: '1.2',
      scopeAttributes: { tier: 'edge', shard: 7, raw: bytesText('AAEC/w==') },
      scopeSchemaUrl: 'https://opentelemetry.io/schemas/1.38.0',
      resourceSchemaUrl: 'https://opentelemetry.io/schemas/1.37.0',
      statusCode: 2,
      statusMessage: 'broken',
    });
    const backwards = spanOf('a2', {
      sessionId: 's',
      attributes: { 'session.id': 's' },
      endUnixNs: NOON_NS - 5n,
      scope: SCOPE_NAME,
    });
    const flush = flushOf('s', 1, { state: { v: 1 } });
    const { committed } = await writer.commit(batchOf([span, backwards], [flush]));
    const key = committed.sessions[0]!.key;
    const raw = await writer.loadSession(key);
    expect(raw?.spans).toEqual(committed.spans);
    expect(raw?.flushes).toEqual(committed.flushes);
    expect(await reader.sessionSpans(key, 9)).toEqual(committed.spans);
    expect(await reader.flushes(key)).toEqual(committed.flushes);
    expect(committed.spans[0]).toMatchObject(span);
    expect(committed.spans[1]).toMatchObject(backwards);
    const counted = (tallies: readonly { count: number; errorCount: number }[] = []): number[] =>
      tallies.reduce((sum, one) => [sum[0]! + one.count, sum[1]! + one.errorCount], [0, 0]);
    expect(counted(raw?.tallies)).toEqual(counted(committed.tallies));
  }),

  contract('records of a window are those whose own time touches it', async open => {
    const { writer, reader } = await open();
    const flushes = [1, 2, 3, 4].map(seq => flushOf('s', seq));
    const { committed } = await writer.commit(batchOf([], flushes));
    const range = { fromUnixNs: NOON_NS + seconds(3), toUnixNs: NOON_NS + seconds(4) };
    const found = await reader.flushes(committed.sessions[0]!.key, range);
    expect(found.map(one => one.seq)).toEqual([2, 3]);
  }),

  contract(
    'a flush that comes minutes after younger ones is among those since the last look',
    async open => {
      const { writer, reader } = await open();
      const first = (await writer.commit(batchOf([], [flushOf('s', 500)]))).committed;
      const late = (await writer.commit(batchOf([], [flushOf('s', 1)]))).committed;
      const key = first.sessions[0]!.key;
      expect((await reader.flushesSince(key, 0)).map(one => one.seq)).toEqual([500, 1]);
      expect((await reader.flushesSince(key, first.commit)).map(one => one.seq)).toEqual([1]);
      expect(await reader.flushesSince(key, late.commit)).toEqual([]);
    },
  ),

  contract('a session is unfinished until derived rows cover its last commit', async open => {
    const { writer } = await open();
    const { committed } = await writer.commit(batchOf([spanOf('a1', { sessionId: 's' })]));
    const { key } = committed.sessions[0]!;
    const unfinished = async (): Promise<unknown[]> =>
      (await writer.unfinishedSessions()).map(one => [one.id, one.coveredCommit, one.lastCommit]);
    expect(await unfinished()).toEqual([['s', 0, committed.commit]]);
    await writer.commitDerived([derivedOf({ key, commit: committed.commit })]);
    expect(await unfinished()).toEqual([]);
    expect((await writer.loadSession(key))?.revision).toBe(1);
  }),

  contract('spans are handed on in whole commits, by their order', async open => {
    const { writer, reader } = await open();
    const commits: number[] = [];
    for (const names of [['a1', 'a2'], ['b1'], ['c1', 'c2', 'c3']])
      commits.push(
        (await writer.commit(batchOf(names.map(name => spanOf(name))))).committed.commit,
      );
    const run = async (after: number, limit: number): Promise<string> => {
      const { spans, last } = await reader.spansAfter(after, limit);
      return `${spans.map(span => span.name).join(' ')} | ${last ? commits.indexOf(last.commit) : ''}`;
    };
    expect(await run(0, 3)).toBe('a1 a2 b1 | 1');
    expect(await run(commits[1]!, 1)).toBe('c1 c2 c3 | 2');
    expect(await run(commits[2]!, 9)).toBe(' | ');
    expect((await reader.lastCommit())?.commit).toBe(commits[2]);
  }),

  contract('spans are looked through backwards in whole commits, the latest first', async open => {
    const { writer, reader } = await open();
    const commits: number[] = [];
    for (const [i, names] of [['a1', 'a2'], ['b1'], ['c1', 'c2', 'c3']].entries())
      commits.push(
        (
          await writer.commit(
            batchOf(
              names.map(name => spanOf(name)),
              [],
              NOON_NS + seconds(i),
            ),
          )
        ).committed.commit,
      );
    const run = async (
      bound: Parameters<typeof reader.spansBefore>[0],
      limit: number,
    ): Promise<string> => {
      const { spans, first } = await reader.spansBefore(bound, limit);
      return `${first ? commits.indexOf(first.commit) : ''} | ${spans.map(span => span.name).join(' ')}`;
    };
    expect(await run({}, 1)).toBe('2 | c1 c2 c3');
    expect(await run({}, 4)).toBe('1 | b1 c1 c2 c3');
    expect(await run({ commit: commits[2]! }, 9)).toBe('0 | a1 a2 b1');
    expect(await run({ arrivedUnixNs: NOON_NS + seconds(1) }, 1)).toBe('1 | b1');
    expect(await run({ commit: commits[0]! }, 9)).toBe(' | ');
  }),

  contract('assembly reads flushes behind the commits, whole commits at a time', async open => {
    const { writer } = await open();
    const commits: number[] = [];
    for (const seqs of [[1, 2], [3], [4, 5, 6], []]) {
      const flushes = seqs.map(seq => flushOf('s', seq));
      const batch = batchOf(seqs.length === 0 ? [spanOf('a1')] : [], flushes);
      commits.push((await writer.commit(batch)).committed.commit);
    }
    const upTo = commits[3]!;
    expect(await writer.newestCommit()).toBe(upTo);
    const run = async (after: number, limit: number): Promise<string> => {
      const { flushes, lastCommit } = await writer.flushesBetween(after, upTo, limit);
      return `${flushes.map(one => one.seq).join(' ')} | ${commits.indexOf(lastCommit)}`;
    };
    expect(await run(commits[0]! - 1, 3)).toBe('1 2 3 | 1');
    expect(await run(commits[0]! - 1, 1)).toBe('1 2 | 0');
    expect(await run(commits[1]!, 9)).toBe('4 5 6 | 3');
    expect(await run(commits[2]!, 9)).toBe(' | 3');
  }),

  contract('points of a histogram come back as sent, each once', async open => {
    const { writer, reader } = await open();
    const point = {
      measure: 'metric.http.duration',
      series: 'ab'.repeat(8),
      attributes: { route: '/x' },
      resource: { 'service.name': 'svc' },
      startUnixNs: NOON_NS,
      atUnixNs: NOON_NS + seconds(60),
      isCumulative: true,
      count: 3,
      sumNs: 5e9,
      minNs: null,
      maxNs: 2e9,
      sketch: Uint8Array.of(0, 255, 128, 7),
      isExact: false,
    };
    const batch = { ...batchOf([]), points: [point] };
    expect((await writer.commit(batch)).repeatedCount).toBe(0);
    expect((await writer.commit(batch)).repeatedCount).toBe(1);
    const found = await reader.metricPoints(point.measure, DAY);
    expect(found.map(one => ({ ...one, sketch: Uint8Array.from(one.sketch) }))).toEqual([point]);
    expect(await reader.metricMeasures()).toEqual([
      { measure: point.measure, seriesCount: 1, pointCount: 1 },
    ]);
  }),

  contract('a zero of the clock that was noted is known to the next writer', async open => {
    const store = await open();
    const clock = { domain: 'ab'.repeat(8), epoch: 1, zeroUnixNs: NOON_NS + 7n };
    const noted = await store.writer.noteCollectorClock(clock);
    expect(noted).toMatchObject(clock);
    const writer = await store.again();
    expect(await writer.collectorClocks()).toEqual([noted]);
    expect(await store.reader.collectorClocks()).toEqual([noted]);
  }),
];
