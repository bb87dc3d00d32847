// Routes, windows over time, the live edge, the ledger's table.

import type { Part, Turn, Wait } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { formatPicked, parsePicked } from '../src/state/picked.ts';
import { addsUp, ledgerRows, quantile } from '../src/state/ledger.ts';
import { formatRoute, parseRoute, sessionRoute } from '../src/state/route.ts';
import { around, held, LiveEdge, panned, zoomed } from '../src/state/viewport.ts';

const there = (address: string): string => {
  const [path = '', search = ''] = address.split('?');
  return formatRoute(parseRoute(path, search));
};

test('every view is an address that comes back to itself', () => {
  for (const address of [
    '/',
    '/?q=hello',
    '/sessions',
    '/sessions/ABC',
    '/sessions/ABC?from=5&to=9&turn=12&frame=mic%3A320&clock=raw',
    '/tail',
    '/tail?measure=part.inference&range=6h',
    '/traces',
    '/traces/ab12?span=cd',
  ])
    expect(there(address)).toBe(address);
});

test('a broken address is a page, not an exception', () => {
  expect(parseRoute('/nowhere', '').page).toBe('missing');
  expect(parseRoute('/sessions/%E0%A4%A', '').page).toBe('session');
  expect(there('/sessions/A?from=9&to=5&turn=x&frame=mic')).toBe('/sessions/A');
  expect(there('/tail?range=99999d&from=abc')).toBe('/tail');
});

test('a session name with a slash stays one name', () => {
  const address = formatRoute(sessionRoute('a/b?c'));
  expect(address).toBe('/sessions/a%2Fb%3Fc');
  expect(parseRoute('/sessions/a%2Fb%3Fc', '')).toMatchObject({ page: 'session', key: 'a/b?c' });
});

test('zooming holds the time under the pointer', () => {
  const view = zoomed({ fromNs: 0, toNs: 1e9 }, 0.5, 0.25, 1e12);
  expect(view).toEqual({ fromNs: 125e6, toNs: 625e6 });
});

test('zooming ends at two milliseconds and at the longest window', () => {
  const span = (factor: number): number => {
    const view = zoomed({ fromNs: 0, toNs: 1e9 }, factor, 0.5, 3e9);
    return view.toNs - view.fromNs;
  };
  expect([span(1e-9), span(1e9)]).toEqual([2e6, 3e9]);
});

test('a window cannot leave the call altogether', () => {
  expect(held({ fromNs: 50e9, toNs: 60e9 }, 10e9)).toEqual({ fromNs: 9e9, toNs: 19e9 });
  expect(held({ fromNs: -50e9, toNs: -40e9 }, 10e9)).toEqual({ fromNs: -9e9, toNs: 1e9 });
  expect(held(panned({ fromNs: 0, toNs: 1e9 }, 0.2), 10e9)).toEqual({ fromNs: 0.2e9, toNs: 1.2e9 });
});

test('a stretch is shown with air on both sides', () => {
  expect(around(1e9, 2e9, 0.5)).toEqual({ fromNs: 0.5e9, toNs: 2.5e9 });
});

test('the live edge runs on between two arrivals and never steps back by a late one', () => {
  const edge = new LiveEdge();
  expect(edge.at(0)).toBeUndefined();
  edge.saw(1e9, 1000);
  expect(edge.at(1500)).toBe(1.5e9);
  edge.saw(1e9, 1500);
  expect(edge.at(1500)).toBeGreaterThan(1.45e9);
});

const part = (name: string, exposedNs: number): Part => ({
  name,
  owner: 'x',
  startNs: 0,
  endNs: 0,
  exposedNs,
  fullNs: exposedNs,
  savesNs: null,
  errorNs: 0,
});
const waitOf = (...parts: Part[]): Wait => ({
  kind: 'response',
  outcome: 'answered',
  definition: 'client',
  startNs: 0,
  endNs: 1,
  waitNs: parts.reduce((sum, one) => sum + one.exposedNs, 0),
  errorNs: 0,
  resolved: 1,
  parts,
  notSeen: [],
  moments: [],
  alternatives: [],
  revision: 1,
});
const turnOf = (wait: Wait): Turn => ({
  sessionKey: 'k',
  tick: 0,
  traceId: null,
  spanId: null,
  startNs: 0,
  endNs: 1,
  outcome: '',
  user: null,
  agent: null,
  words: [],
  waits: [wait],
  stages: [],
  bargeIn: null,
});

test('a ledger adds up to the nanosecond or says that it does not', () => {
  const wait = waitOf(part('uplink', 3), part('inference', 7));
  expect([addsUp(wait), addsUp({ ...wait, waitNs: 11 })]).toEqual([true, false]);
});

test('a part is quoted beside the session from the fifth wait on', () => {
  const turns = [1, 2, 3, 4, 5].map(ns => turnOf(waitOf(part('inference', ns))));
  const row = (n: number): number | undefined =>
    ledgerRows(turns[0]!.waits[0]!, turns.slice(0, n))[0]!.p50Ns;
  expect([row(4), row(5)]).toEqual([undefined, 3]);
});

test('waits of another definition are no comparison', () => {
  const turns = [1, 2, 3, 4, 5].map(ns => turnOf(waitOf(part('inference', ns))));
  const other = { ...waitOf(part('inference', 9)), definition: 'server' as const };
  expect(ledgerRows(other, [...turns, turnOf(other)])[0]!.p50Ns).toBeUndefined();
});

test('a quantile is the value of rank ceil(q·n)', () => {
  expect([quantile([1, 2, 3, 4], 0.5), quantile([1, 2, 3, 4], 0.51), quantile([], 0.5)]).toEqual([
    2,
    3,
    undefined,
  ]);
});

test('what is picked on the heatmap survives its address; nonsense is no pick', () => {
  const picked = { fromMs: 1_795_354_071_000, toMs: 1_795_354_131_000, minNs: 8e8, maxNs: 1e15 };
  const texts = [false, true].map(isNever => formatPicked({ ...picked, isNever }));
  expect(texts.map(parsePicked)).toEqual([false, true].map(isNever => ({ ...picked, isNever })));
  expect(['slow', undefined, '5~4~1~2', '1~2~x~3', '~~~'].map(parsePicked)).toEqual(
    Array.from({ length: 5 }),
  );
});

test('filters, groups and both sides of a comparison are in the address', () => {
  for (const path of [
    '/tail?measure=part.tool&range=6h&filter=region%3Aeu-west+v2v%3E800ms&group=release&pick=slow',
    '/sessions?filter=release%3A%222.5.0%22',
    '/compare?measure=voice_to_voice.client&aFilter=release%3A1&bFrom=1795354071000000000&bFilter=x',
  ]) {
    const [page = '', search = ''] = path.split('?');
    expect(formatRoute(parseRoute(page, `?${search}`))).toBe(path);
  }
});
