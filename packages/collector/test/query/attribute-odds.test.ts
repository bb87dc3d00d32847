// Which attribute is first: of frames one giant call weighs no more than a short one, and of two
// values that the same calls have the wider place is named.

import { expect, test } from 'vitest';
import { attributeOdds, explains, type SessionSplit } from '../../src/query/attribute-odds.ts';
import type { FacetSession, Place } from '../../src/store/store.ts';

/** `place inside/outside`, a call each. */
function splitsOf(calls: readonly string[]): SessionSplit[] {
  return calls.map((text, row) => {
    const [region = '', counts = ''] = text.split(' ');
    const [inside = 0, outside = 0] = counts.split('/').map(Number);
    const places: Place[] =
      region === '-' ? [] : [{ host: 'client.test' }, { region, host: `${region}-edge` }];
    const facets = { attributes: {}, synthetic: null, places, hops: {}, counts: {} };
    return {
      session: { row, key: `c${row}`, id: `c${row}`, facets } as unknown as FacetSession,
      inside,
      outside,
    };
  });
}

const near = Array.from({ length: 20 }, (_, i) => `eu ${i % 3}/200`);
const far = Array.from({ length: 8 }, (_, i) => `ap ${110 + i}/90`);
/** An hour of frames, none of them slow, that says nothing of its place. */
const HOUR = '- 0/180000';

test('of a region and its only host, which the same calls have, the region is first', () => {
  const [first, second] = attributeOdds(splitsOf([...near, ...far]), [], 'same');
  expect([first, second].map(one => [one!.name, one!.value, explains(one!)])).toEqual([
    ['region', 'ap', true],
    ['host', 'ap-edge', true],
  ]);
});

test('of frames, one call of an hour makes nothing of what all others have', () => {
  const splits = splitsOf([...near, ...far, HOUR]);
  expect(attributeOdds(splits, [], 'same')[0]).toMatchObject({ name: 'region', value: 'ap' });
  const all = attributeOdds(splits, [], 'same').find(one => one.value === 'client.test');
  expect(all!.isSure).toBe(false);
  // By frames it does: every other call is far from it.
  expect(attributeOdds(splits).find(one => one.value === 'client.test')!.z).toBeGreaterThan(
    attributeOdds(splits).find(one => one.value === 'ap')!.z,
  );
});

test('calls that are all alike have no attribute that explains anything', () => {
  const alike = splitsOf([...near, ...near.map(text => text.replace('eu', 'ap')), HOUR]);
  expect(attributeOdds(alike, [], 'same').filter(explains)).toEqual([]);
});
