// The OpenAPI document, written from the routes themselves.

import { FILTER_LENGTH_MAX } from '@framescope/protocol';
import type { Param } from './params.ts';
import type { Route } from './route.ts';
import { SCHEMAS } from './schema.ts';
import type { Schema } from './schema-words.ts';

export const API_BASE = '/api/v1';

export function openApiDocument(routes: readonly Route[], version: string): object {
  const described = [...routes, DOCUMENT_ROUTE];
  return {
    openapi: '3.1.0',
    info: {
      title: 'Framescope',
      version,
      description:
        'Absolute times are Unix nanoseconds in strings, offsets and durations whole nanoseconds. ' +
        'Errors are application/problem+json with a stable `code`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: API_BASE }],
    paths: {
      ...Object.fromEntries(
        described.map(one => [
          one.path,
          {
            get: operation(one),
            ...(one.path === '/annotations' && { post: ANNOTATE }),
            ...(one.path === '/budgets' && { put: SET_BUDGETS }),
          },
        ]),
      ),
      '/ingest-tokens': { post: MAKE_TOKEN },
      '/sessions/{key}/pin': { post: PIN, delete: UNPIN },
      '/annotations/{id}': { delete: REMOVE_ANNOTATION },
    },
    components: { schemas: SCHEMAS },
  };
}

const MAKE_TOKEN: object = {
  summary: 'Makes a token that sends the telemetry of one session; takes the token of --token.',
  requestBody: {
    required: true,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/IngestTokenInput' } } },
  },
  responses: {
    201: {
      description: 'To be shown as a bearer token by a page.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/IngestToken' } } },
    },
  },
};

const json = (name: string): object => ({
  'application/json': { schema: { $ref: `#/components/schemas/${name}` } },
});
const inPath = (name: string, description: string): object => ({
  name,
  description,
  in: 'path',
  required: true,
  schema: { type: 'string' },
});
const sessionKey = inPath('key', 'Key of a session.');
const GONE = { 204: { description: 'Done.' } };

const PIN: object = {
  summary: 'Keeps a call whole, whatever retention and the size cap say.',
  parameters: [sessionKey],
  requestBody: { required: false, content: json('PinInput') },
  responses: { 201: { description: 'It is kept.', content: json('Pin') } },
};
const UNPIN: object = {
  summary: 'Lets go of a call that was kept.',
  parameters: [sessionKey],
  responses: GONE,
};
const REMOVE_ANNOTATION: object = {
  summary: 'Takes an annotation away.',
  parameters: [inPath('id', 'ID of an annotation.')],
  responses: GONE,
};
const SET_BUDGETS: object = {
  summary: 'Sets limits of measures: all that the page sets, the others apply as file or default.',
  parameters: [
    {
      name: 'If-Match',
      in: 'header',
      required: false,
      description: 'The ETag that was read: 412 when somebody changed them since.',
      schema: { type: 'string' },
    },
  ],
  requestBody: { required: true, content: json('BudgetInput') },
  responses: { 200: { description: 'As they apply now.', content: json('BudgetList') } },
};

/** Few things of the API are written; everything else is read, or sent as OTLP. */
const ANNOTATE: object = {
  summary: 'Marks a deploy, an incident or a note on the time axis. `atUnixNs` absent: now.',
  requestBody: {
    required: true,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/AnnotationInput' } } },
  },
  responses: {
    201: {
      description: 'As it was stored.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Annotation' } } },
    },
  },
};

type Described = Pick<Route, 'path' | 'summary' | 'params' | 'id' | 'schema' | 'alsoAs'>;

const DOCUMENT_ROUTE: Described = {
  path: '/openapi.json',
  summary: 'This document.',
  params: {},
  alsoAs: { 'application/json': 'OpenAPI 3.1.' },
};

function operation(one: Described): object {
  const query = Object.entries(one.params).map(([name, param]) => ({
    name,
    in: 'query',
    description: param.description,
    required: param.kind === 'text' && param.isRequired === true,
    schema: schemaOf(param),
  }));
  const path = one.id
    ? [{ ...one.id, in: 'path', required: true, schema: { type: 'string' } }]
    : [];
  return {
    summary: one.summary,
    parameters: [...path, ...query],
    responses: {
      200: { description: one.summary, content: contentOf(one) },
      default: {
        description: 'What was wrong, and what to do.',
        content: { 'application/problem+json': { schema: reference('Problem') } },
      },
    },
  };
}

function contentOf({ schema, alsoAs }: Described): object {
  const others = Object.entries(alsoAs ?? {}).map(([type, description]) => [
    type,
    { schema: { description } },
  ]);
  return {
    ...(schema && { 'application/json': { schema: reference(schema) } }),
    ...Object.fromEntries(others),
  };
}

const reference = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

function schemaOf(param: Param): Schema {
  if (param.kind === 'integer')
    return {
      type: 'integer',
      minimum: param.min,
      maximum: param.max,
      ...(param.default !== undefined && { default: param.default }),
    };
  if (param.kind === 'unixNs') return { type: 'string', pattern: '^\\d{1,19}$' };
  if (param.kind === 'filter')
    return { type: 'string', maxLength: FILTER_LENGTH_MAX, examples: ['region:eu-* v2v>800ms'] };
  if (param.kind === 'oneOf') return { type: 'string', enum: param.values };
  return { type: 'string', maxLength: param.lengthMax };
}
