// Routes about where calls run: places, load, what stands out, advice.

import type { Asker } from '../query/answers.ts';
import { defined, filter, fromUnix, given, rangeOf, toUnix } from './common-params.ts';
import { route, type Route } from './route.ts';

const region = (description: string): { kind: 'text'; lengthMax: number; description: string } => ({
  kind: 'text',
  lengthMax: 200,
  description,
});
const session = {
  kind: 'text',
  lengthMax: 100,
  description: 'Key of one session; default: those of the range.',
} as const;

export const placeRoutes = (asker: Asker): readonly Route[] => [
  ...whereRoutes(asker),
  ...wordRoutes(asker),
];

function whereRoutes(asker: Asker): readonly Route[] {
  return [
    route(
      {
        path: '/places',
        summary: 'Ways between services and regions, where calls are answered, hand-overs.',
        params: {
          from: fromUnix,
          to: toUnix,
          filter,
          moveFrom: region('What if: agents of this region …'),
          moveTo: region('… stood in this one.'),
        },
        schema: 'Places',
      },
      ({ values }) => {
        const { from, to, ...rest } = values;
        return asker.ask('places', { ...defined(rest), ...rangeOf(from, to) });
      },
    ),
    route(
      {
        path: '/load',
        summary: 'How busy each instance was, and latency against load.',
        params: {
          from: fromUnix,
          to: toUnix,
          columns: {
            kind: 'integer',
            min: 1,
            max: 1_000,
            default: 240,
            description: 'Columns of time, a second each at least.',
          },
          curves: {
            kind: 'oneOf',
            values: ['yes', 'no'],
            description: 'Latency against load too, which reads all waits; default: yes.',
          },
          session,
        },
        schema: 'Load',
      },
      ({ values }) => {
        const { from, to, columns, curves, ...rest } = values;
        return asker.ask('load', {
          columns,
          hasCurves: curves !== 'no',
          ...given('session', rest.session),
          ...rangeOf(from, to),
        });
      },
    ),
  ];
}

function wordRoutes(asker: Asker): readonly Route[] {
  return [
    route(
      {
        path: '/findings',
        summary: 'What stands out about places, load, cuts and buffers, in words.',
        params: { from: fromUnix, to: toUnix },
        schema: 'Findings',
      },
      ({ values }) => asker.ask('findings', rangeOf(values.from, values.to)),
    ),
    route(
      {
        path: '/advisor',
        summary: 'Stored arrivals replayed through other buffers, frames and pieces.',
        params: {
          from: fromUnix,
          to: toUnix,
          filter,
          session,
          what: {
            kind: 'oneOf',
            values: ['jitter_buffer', 'frame', 'chunk', 'sentence'],
            description: 'What is tried; default: jitter_buffer.',
          },
        },
        schema: 'Advice',
      },
      ({ values }) => {
        const { from, to, what, ...rest } = values;
        return asker.ask('advisor', {
          ...defined(rest),
          what: (what ?? 'jitter_buffer') as 'jitter_buffer',
          ...rangeOf(from, to),
        });
      },
    ),
  ];
}
