import { expect, test } from 'vitest';
import { SentenceAggregator, sentencesOf } from '../src/common/sentences.ts';

test('a sentence is given up when the next one begins, the last at the end', () => {
  const aggregator = new SentenceAggregator();
  const steps = ['Yes', '.', ' I', ' can', '!', ' Now?'].map(token => aggregator.push(token));
  expect(steps).toEqual([[], [], ['Yes.'], [], [], ['I can!']]);
  expect(aggregator.flush()).toBe('Now?');
  expect(aggregator.flush()).toBeUndefined();
});

test('a number with a point is no end of a sentence', () => {
  expect(sentencesOf('It is 3.5 metres. Good.')).toEqual(['It is 3.5 metres.', 'Good.']);
});
