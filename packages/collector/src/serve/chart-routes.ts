// Routes of charts: measures, heatmap, tail and what is asked about it, comparison.

import type { Asker } from '../query/answers.ts';
import {
  defined,
  filter,
  fromUnix,
  given,
  limit,
  offset,
  range,
  rangeOf,
  toUnix,
} from './common-params.ts';
import { route, type Route } from './route.ts';

const NO_FURTHER = { kind: 'integer', min: 1, max: 3_600_000_000_000 } as const;

export function chartRoutes(asker: Asker): readonly Route[] {
  return [
    route(
      { path: '/measures', summary: 'What is measured.', params: {}, schema: 'MeasureList' },
      () => asker.ask('measures', {}),
    ),
    heatmapRoute(asker),
    ...tailRoutes(asker),
    compareRoute(asker),
    route(
      {
        path: '/filter/vocabulary',
        summary: 'Keys of the filter language with the values that occur.',
        params: {
          for: {
            kind: 'oneOf',
            values: ['sessions', 'turns', 'traces'],
            description: 'What is filtered; default: sessions.',
          },
          from: fromUnix,
          to: toUnix,
        },
        schema: 'FilterVocabulary',
      },
      ({ values }) =>
        asker.ask('vocabulary', {
          for: (values.for ?? 'sessions') as 'sessions',
          ...rangeOf(values.from, values.to),
        }),
    ),
    route(
      {
        path: '/pins',
        summary: 'Calls that are kept, newest first.',
        params: {},
        schema: 'PinList',
      },
      () => asker.ask('pins', {}),
    ),
    route(
      {
        path: '/annotations',
        summary: 'Deploys, incidents and notes in a range.',
        params: { from: fromUnix, to: toUnix },
        schema: 'AnnotationList',
      },
      ({ values }) =>
        asker.ask('annotations', {
          fromUnixNs: values.from ?? 0n,
          toUnixNs: values.to ?? 2n ** 62n,
        }),
    ),
  ];
}

const heatmapRoute = (asker: Asker): Route =>
  route(
    {
      path: '/heatmap',
      summary: 'Time across, latency up: counts, percentiles, exemplars.',
      params: {
        ...range,
        columns: {
          kind: 'integer',
          min: 1,
          max: 2_000,
          default: 240,
          description: 'Columns of time.',
        },
        scale: {
          kind: 'integer',
          min: 0,
          max: 5,
          description: 'Rows an octave, as a power of two.',
        },
        group: {
          kind: 'text',
          lengthMax: 200,
          description:
            'A session attribute, or service, instance, host, zone, region; of waits also outcome, worst, a part, or what turns were made with (llm.model, tool.name, …), numbers in bands that double. One heatmap a value.',
        },
      },
      schema: 'Heatmap',
    },
    ({ values }) => {
      const { from, to, ...rest } = values;
      return asker.ask('heatmap', { ...defined(rest), ...rangeOf(from, to) });
    },
  );

const box = {
  ...range,
  minNs: offset('Least value, ns.'),
  maxNs: offset('Largest value, ns.'),
} as const;

function tailRoutes(asker: Asker): readonly Route[] {
  return [
    route(
      {
        path: '/tail',
        summary: 'What is in a cell or a box of the heatmap, slowest first.',
        params: {
          ...box,
          outcome: { kind: 'text', lengthMax: 40, description: 'Only waits with this outcome.' },
          limit,
        },
        schema: 'Tail',
      },
      ({ values }) => {
        const { from, to, ...rest } = values;
        return asker.ask('tail', { ...defined(rest), ...rangeOf(from, to) });
      },
    ),
    route(
      {
        path: '/tail/why',
        summary: 'What is different about a box: parts and attributes, inside against outside.',
        params: {
          ...box,
          insideFrom: { kind: 'unixNs', description: 'Start of the box, Unix ns.' },
          insideTo: { kind: 'unixNs', description: 'End of the box, Unix ns.' },
        },
        schema: 'TailWhy',
      },
      ({ values }) => {
        const { from, to, insideFrom, insideTo, ...rest } = values;
        return asker.ask('tailWhy', {
          ...defined(rest),
          ...rangeOf(from, to),
          ...given('insideFromUnixNs', insideFrom),
          ...given('insideToUnixNs', insideTo),
        });
      },
    ),
    whatIfRoute(asker),
    route(
      {
        path: '/tail/cutoffs',
        summary: 'Turns that were ended too early: the user went on within 1.5 s.',
        params: { from: fromUnix, to: toUnix, filter, limit },
        schema: 'CutOffs',
      },
      ({ values }) => {
        const { from, to, ...rest } = values;
        return asker.ask('cutOffs', { ...defined(rest), ...rangeOf(from, to) });
      },
    ),
  ];
}

const whatIfRoute = (asker: Asker): Route =>
  route(
    {
      path: '/tail/whatif',
      summary: 'The percentiles if one part had been shorter, through the graph of each wait.',
      params: {
        ...range,
        part: {
          kind: 'text',
          lengthMax: 200,
          isRequired: true,
          description: 'Name of a part, e.g. endpointing.',
        },
        byNs: { ...NO_FURTHER, default: 100_000_000, description: 'By how much, ns.' },
      },
      schema: 'WhatIf',
    },
    ({ values }) => {
      const { from, to, ...rest } = values;
      return asker.ask('whatIf', { ...defined(rest), ...rangeOf(from, to) });
    },
  );

const compareRoute = (asker: Asker): Route =>
  route(
    {
      path: '/compare',
      summary: 'Two ranges, releases or groups: percentiles with bounds, distributions, parts.',
      params: {
        measure: range.measure,
        aFrom: fromUnix,
        aTo: toUnix,
        aFilter: filter,
        bFrom: fromUnix,
        bTo: toUnix,
        bFilter: filter,
      },
      schema: 'Comparison',
    },
    ({ values, request }) => {
      const text = (name: string): string => String(request.query[name] ?? '');
      return asker.ask('compare', {
        ...given('measure', values.measure),
        a: {
          ...rangeOf(values.aFrom, values.aTo),
          ...given('filter', values.aFilter),
          text: text('aFilter'),
        },
        b: {
          ...rangeOf(values.bFrom, values.bTo),
          ...given('filter', values.bFilter),
          text: text('bFilter'),
        },
      });
    },
  );
