// POST /api/v1/annotations (and DELETE …/{id}): a deploy, an incident or a note on the time axis.

import type { AnnotationInput } from '@framescope/protocol';
import express, { type Request, type RequestHandler, type Response } from 'express';
import type { Writer } from '../writer/writer.ts';
import { ApiError, notStoring } from './problem.ts';

const BODY_BYTES_MAX = 16 * 1024;
const TEXT_MAX = 500;
const ATTRIBUTES_MAX = 20;

export const annotationHandlers = (
  writer: Writer,
  nowUnixNs: () => bigint,
): readonly RequestHandler[] => [
  express.json({ limit: BODY_BYTES_MAX }),
  async (request: Request, response: Response) => {
    const input = readInput(request.body as unknown, nowUnixNs());
    const kept = await writer.change('annotate', input);
    if (kept === undefined) throw notStoring();
    response.status(201).type('json').send(JSON.stringify(kept.answer));
  },
];

/** DELETE /api/v1/annotations/{id} */
export const removeAnnotation =
  (writer: Writer): RequestHandler =>
  async (request: Request, response: Response) => {
    const done = await writer.change('removeAnnotation', String(request.params['id']));
    if (done === undefined) throw notStoring();
    if (!done.answer) throw new ApiError(404, 'not_found', 'there is no annotation of this ID');
    response.status(204).end();
  };

function readInput(body: unknown, nowUnixNs: bigint): AnnotationInput {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw bad(
      'the body',
      'must be a JSON object, e.g. {"kind": "deploy", "text": "2.5.0"}, sent as application/json',
    );
  const { atUnixNs, endUnixNs, kind, text, attributes, ...others } = body as Record<
    string,
    unknown
  >;
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw bad(other, 'is not known; there are atUnixNs, endUnixNs, kind, text, attributes');
  return {
    atUnixNs: atUnixNs === undefined ? String(nowUnixNs) : timeOf('atUnixNs', atUnixNs),
    endUnixNs:
      endUnixNs === undefined || endUnixNs === null ? null : timeOf('endUnixNs', endUnixNs),
    kind: textOf('kind', kind ?? 'note'),
    text: textOf('text', text),
    attributes: attributesOf(attributes ?? {}),
  };
}

function timeOf(name: string, value: unknown): string {
  if (typeof value !== 'string' || !/^\d{1,19}$/.test(value) || BigInt(value) >= 2n ** 63n)
    throw bad(name, 'must be Unix nanoseconds in a string of digits');
  return value;
}

function textOf(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > TEXT_MAX)
    throw bad(name, `must be a text of 1 to ${TEXT_MAX} characters`);
  return value;
}

function attributesOf(value: unknown): Record<string, string> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : undefined;
  if (entries === undefined || Array.isArray(value) || entries.length > ATTRIBUTES_MAX)
    throw bad('attributes', `must be an object of at most ${ATTRIBUTES_MAX} texts`);
  return Object.fromEntries(
    entries.map(([name, one]) => [name, textOf(`attributes.${name}`, one)]),
  );
}

const bad = (name: string, what: string): ApiError =>
  new ApiError(400, 'bad_annotation', `${name} ${what}`);
