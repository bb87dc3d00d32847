// What the launcher takes from the command line, and what it passes on.

import { expect, test } from 'vitest';
import { collectorByHand, readArguments } from '../../scripts/launch/arguments.mjs';

const split = (line: string): string => {
  const { isDemo, hasDay, collector, demo } = readArguments(
    line.split(' ').filter(word => word !== ''),
  );
  return `${isDemo ? 'demo ' : ''}${hasDay ? '' : 'without day '}collector[${collector.join(' ')}] call[${demo.join(' ')}]`;
};

test.each([
  ['', 'collector[] call[]'],
  ['--port 9000', 'collector[--port 9000] call[]'],
  ['--port 9000 --demo --data d', 'demo collector[--port 9000 --data d] call[]'],
  ['--demo -- --jitter 80', 'demo collector[] call[--jitter 80]'],
  ['--demo --no-day --port 9000', 'demo without day collector[--port 9000] call[]'],
  ['-- --demo', 'collector[] call[--demo]'],
])('`npm start -- %s` is %s', (line, expected) => {
  expect(split(line)).toBe(expected);
});

test.each([
  [['--data', 'my data'], 'http://127.0.0.1:4318', "--data 'my data' --port 4318"],
  [['--port', '0', '--data', 'd'], 'http://127.0.0.1:40123', '--data d --port 40123'],
  [['--port=0'], 'http://127.0.0.1:40123', '--port 40123'],
])(
  'a collector started with %j on %s is started again with its own port',
  (args, url, expected) => {
    expect(collectorByHand(args, url)).toBe(
      `node packages/collector/bin/framescope.js serve ${expected}`,
    );
  },
);
