import { ATTR, SCOPE_NAME, type SessionDetail, type Turn } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { preparer } from '../../src/forward/prepare.ts';
import { readTarget } from '../../src/forward/target.ts';
import type { QueryContext } from '../../src/query/queries.types.ts';
import type { StoredSpan } from '../../src/store/store.ts';
import { NOON_NS, seconds, spanOf } from '../support/spans.ts';

const DOMAIN = 'ab'.repeat(8);

/** A store with one session, whose one process has a clock 3.7 s ahead, ± 2 ms. */
function contextOf(turn?: Partial<Turn>): QueryContext {
  const clock = { domain: DOMAIN, epoch: 0, offsetNs: 3_700_000_000.4, errorNs: 2_000_000 };
  const session = {
    key: 'k',
    id: 'call',
    processes: [{ service: 'svc', instance: 'pod-1', clock }],
  } as unknown as SessionDetail;
  const reader = {
    session: async (key: string) => (key === 'k' ? session : undefined),
    turn: async () => turn as Turn | undefined,
    trace: async () => undefined,
  };
  return { reader, nowUnixNs: () => 0n, budgets: {} } as unknown as QueryContext;
}

const stored = (name: string, change: Partial<StoredSpan> = {}): StoredSpan => ({
  ...spanOf(name),
  sessionKey: null,
  commit: 1,
  arrivalUnixNs: NOON_NS,
  ...change,
});

const OURS = { [ATTR.clockDomain]: DOMAIN, [ATTR.clockEpoch]: 0 };

const prepared = (
  spans: readonly StoredSpan[],
  send = 'all',
): ReturnType<ReturnType<typeof preparer>> =>
  preparer(contextOf())(spans, readTarget(`otlp+http://a?send=${send}`));

test('times of a clock that is known are corrected to the whole nanosecond, and say by how much', async () => {
  const events = [{ name: 'first', atUnixNs: NOON_NS + 5n, attributes: {} }];
  const [span] = await prepared([stored('a1', { sessionKey: 'k', attributes: OURS, events })]);
  expect(span).toMatchObject({
    startUnixNs: NOON_NS - 3_700_000_000n,
    endUnixNs: NOON_NS + seconds(1) - 3_700_000_000n,
    events: [{ atUnixNs: NOON_NS + 5n - 3_700_000_000n }],
  });
  expect(span?.attributes).toMatchObject({
    [ATTR.clockOffsetNs]: 3_700_000_000,
    [ATTR.clockErrorNs]: 2_000_000,
  });
});

test("the user's own spans in a process that is known are corrected as well; others are left", async () => {
  const own = { attributes: { 'service.name': 'svc', 'service.instance.id': 'pod-1' } };
  const other = { attributes: { 'service.name': 'svc', 'service.instance.id': 'pod-2' } };
  const spans = await prepared([
    stored('a1', { sessionKey: 'k', resource: own }),
    stored('a2', { sessionKey: 'k', resource: other }),
    stored('a3', { resource: own }),
  ]);
  expect(spans.map(span => NOON_NS - span.startUnixNs)).toEqual([3_700_000_000n, 0n, 0n]);
});

test('each kind of span goes where it is asked for', async () => {
  const spans = [
    stored('a1', { scope: SCOPE_NAME }),
    stored('a2', { sessionKey: 'k' }),
    stored('a3'),
    stored('a4', { sessionKey: 'k', attributes: { [ATTR.framePromoted]: ['worst'] } }),
    stored('a5', { sessionKey: 'k', attributes: { [ATTR.pending]: '' } }),
    stored('a6', { sessionKey: 'k', attributes: { [ATTR.log]: 'info' } }),
  ];
  const names = async (send: string): Promise<string> =>
    (await prepared(spans, send)).map(span => span.name).join(' ');
  expect(await names('turns')).toBe('a1 a2');
  expect(await names('promoted')).toBe('a4');
  expect(await names('turns,promoted')).toBe('a1 a2 a4');
  expect(await names('all')).toBe('a1 a2 a3 a4');
});

test('siblings of ours that touch are a microsecond apart, and say so; others are left', async () => {
  const at = (name: string, fromS: number, scope: string): StoredSpan =>
    stored(name, {
      scope,
      parentSpanId: 'f'.repeat(16) as never,
      startUnixNs: NOON_NS + seconds(fromS),
      endUnixNs: NOON_NS + seconds(fromS + 1),
    });
  const [first, second] = await prepared([at('a1', 0, SCOPE_NAME), at('a2', 1, SCOPE_NAME)]);
  expect([first?.endUnixNs, first?.attributes]).toEqual([
    NOON_NS + seconds(1) - 1_000n,
    { [ATTR.adjusted]: true },
  ]);
  expect(second?.attributes).toEqual({});
  const [foreign] = await prepared([at('a1', 0, 'other'), at('a2', 1, 'other')]);
  expect(foreign?.endUnixNs).toBe(NOON_NS + seconds(1));
});

test("a turn's state, with its words, stays here", async () => {
  const attributes = { ...OURS, [ATTR.turnState]: '{"words":[]}', kept: 1 };
  const [span] = await prepared([stored('a1', { sessionKey: 'k', attributes })]);
  expect(span?.attributes).toMatchObject({ kept: 1 });
  expect(span?.attributes).not.toHaveProperty([ATTR.turnState]);
});
