import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  asksBeyond,
  completeFilter,
  parseFilter,
  passesFilter,
  type Filter,
  type FilterSubject,
  type FilterVocabulary,
} from '../src/index.ts';

/** A filter as one line: what binds together stands in brackets. */
function told(filter: Filter): string {
  if (filter.kind === 'words') return `"${filter.text}"`;
  if (filter.kind === 'not') return `not ${told(filter.item)}`;
  if (filter.kind === 'term') return `${filter.key} ${filter.op} ${filter.values.join('|')}`;
  return `[${filter.items.map(told).join(` ${filter.kind} `)}]`;
}

const read = (text: string): string => {
  const result = parseFilter(text);
  return result.ok
    ? told(result.filter)
    : `${text.slice(0, result.at)}⟦${text.slice(result.at, result.at + result.length)}⟧ ${result.problem}`;
};

test('terms beside each other must all hold; OR binds weaker; brackets and NOT bind', () => {
  expect(read('a:1 b:2 OR c:3 AND d:4')).toBe('[[a : 1 and b : 2] or [c : 3 and d : 4]]');
  expect(read('(a:1 OR b:2) -c:3 NOT refund')).toBe(
    '[[a : 1 or b : 2] and not c : 3 and not "refund"]',
  );
  expect(read('')).toBe('[]');
});

test('one of several by commas; quotes keep spaces, commas and stars', () => {
  expect(read('release:1.4,1.5')).toBe('release : 1.4|1.5');
  expect(read(String.raw`path:"a, \"b\" *"`)).toBe('path : a, "b" *');
});

test('a small "or" is a word to look for, as a date or a path with a dash is', () => {
  expect(read('now or never')).toBe('["now" and "or" and "never"]');
  expect(read('2026-11-23')).toBe('"2026-11-23"');
});

test('a problem says where it is and what to do', () => {
  expect(read('region:eu v2v>800')).toBe(
    'region:eu v2v>⟦800⟧ v2v is a duration: a number and a unit (ns us ms s m h), e.g. 800ms',
  );
  expect(read('a (b OR c')).toBe(
    'a ⟦(⟧ b OR c this ( is never closed: add a )'.replace(' b OR c', ''),
  );
  expect(read('a )')).toBe('a ⟦)⟧ this ) opens nowhere');
  expect(read('a OR')).toBe('a OR⟦⟧ something is missing here: a term such as region:eu or a word');
  expect(read('OR a')).toBe('⟦OR⟧ OR needs something before it');
  expect(read('id:"abc')).toBe('id:⟦"abc⟧ this quote never ends: add a "');
  expect(read('interrupted:maybe')).toBe(
    'interrupted:⟦maybe⟧ interrupted is true or false, got "maybe"',
  );
  expect(read('region>eu')).toBe('region>⟦eu⟧ > compares numbers, got "eu"');
  expect(read('lost>many')).toBe('lost>⟦many⟧ lost is a number, got "many"');
  expect(read('region:')).toBe('⟦region:⟧ region needs a value, e.g. region:eu-*');
});

test('2,000 characters and 40 levels are taken, one more is refused', () => {
  expect(parseFilter('x'.repeat(2_000)).ok).toBe(true);
  expect(parseFilter('x'.repeat(2_001)).ok).toBe(false);
  expect(parseFilter(`${'('.repeat(40)}a${')'.repeat(40)}`).ok).toBe(true);
  expect(parseFilter(`${'('.repeat(41)}a${')'.repeat(41)}`).ok).toBe(false);
});

test('no text makes it throw', () => {
  const piece = fc.constantFrom(
    'a',
    ':',
    '>',
    '"',
    '(',
    ')',
    '-',
    'OR',
    ' ',
    '*',
    '800ms',
    '\\',
    ',',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), pieces => {
      const result = parseFilter(pieces.join(''));
      if (!result.ok) expect(result.at).toBeLessThanOrEqual(pieces.join('').length);
    }),
  );
});

const CALL: FilterSubject = {
  valuesOf: key =>
    ({
      region: ['eu-west-1', 'us-east-1'],
      v2v: [640e6, 910e6],
      interrupted: [true],
      lost: [3],
      tries: ['12'],
      empty: [],
    })[key] ?? [],
  hasWords: text => 'please refund my order'.includes(text),
};

const passes = (text: string): boolean => {
  const result = parseFilter(text);
  if (!result.ok) throw new Error(result.problem);
  return passesFilter(result.filter, CALL);
};

test.each([
  ['region:eu-*', true],
  ['region:*east*', true],
  ['region:eu', false],
  ['region="eu-*"', false],
  ['region:EU-west-1', true],
  ['region!=eu-west-1', false],
  ['region!=ap-south-1', true],
  ['region:ap-south-1,us-east-1', true],
  ['v2v>900ms', true],
  ['v2v>=910ms v2v<0.7s', true],
  ['v2v>910ms', false],
  ['interrupted:yes', true],
  ['-interrupted:true', false],
  ['lost:3 lost<4', true],
  ['tries>2', true],
  ['missing:*', false],
  ['region:*', true],
  ['refund', true],
  ['"my order" NOT cancel', true],
  ['NOT (refund OR region:eu-*)', false],
])('%s on a call: %s', (text, expected) => {
  expect(passes(text)).toBe(expected);
});

test('a star in front of many stars takes no time', () => {
  const subject: FilterSubject = { valuesOf: () => ['a'.repeat(5_000)], hasWords: () => false };
  const result = parseFilter(`x:${'a*'.repeat(900)}b`);
  expect(result.ok && passesFilter(result.filter, subject)).toBe(false);
});

test('a filter tells whether it asks for turns', () => {
  const asks = (text: string): boolean => {
    const result = parseFilter(text);
    return result.ok && asksBeyond(result.filter, ['turn']);
  };
  expect([asks('region:eu lost>3'), asks('region:eu OR NOT v2v>1s'), asks('part.x+y>1s')]).toEqual([
    false,
    true,
    true,
  ]);
});

const VOCABULARY: FilterVocabulary = {
  keys: [
    {
      name: 'release',
      kind: 'text',
      help: 'session attribute',
      values: [
        { value: '1.4', count: 9 },
        { value: 'not yet', count: 1 },
      ],
    },
  ],
};

const completed = (text: string): string[] =>
  completeFilter(text, text.length, VOCABULARY).map(
    one => text.slice(0, one.from) + one.text + text.slice(one.to),
  );

test('keys and values are completed in place', () => {
  expect(completed('region:eu rel')).toEqual(['region:eu release:']);
  expect(completed('-release:')).toEqual(['-release:1.4', '-release:"not yet"']);
  expect(completed('release:1.4,not')).toEqual(['release:"not yet"']);
  expect(completed('interrupted:t')).toEqual(['interrupted:true']);
  expect(completed('v2')).toEqual(['v2v>']);
});
