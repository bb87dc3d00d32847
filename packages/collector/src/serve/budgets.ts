// GET and PUT /api/v1/budgets: limits of measures.
//
// What is put is all that the page sets; its ETag says which state somebody has seen, so that of
// two who edit at once the second is told instead of undoing the first.

import type { BudgetInput, BudgetList } from '@framescope/protocol';
import express, { type Request, type RequestHandler, type Response } from 'express';
import type { Writer } from '../writer/writer.ts';
import { ApiError, notStoring } from './problem.ts';
import { route, type Route } from './route.ts';

const BODY_BYTES_MAX = 64 * 1024;
const ITEMS_MAX = 200;
const MEASURE = /^[\w.+/@# -]{1,200}$/;
const LIMIT_NS = { min: 1_000, max: 600e9 } as const;

export interface BudgetPorts {
  readonly writer: Writer;
  readonly nowUnixNs: () => bigint;
}

export const budgetsRoute = (budgets: () => Promise<BudgetList>): Route =>
  route(
    {
      path: '/budgets',
      summary: 'Limits of measures, and where each comes from. The ETag goes back as If-Match.',
      params: {},
      schema: 'BudgetList',
    },
    async ({ response }) => {
      const list = await budgets();
      response.setHeader('ETag', etagOf(list));
      return list;
    },
  );

export const putBudgetsHandlers = ({
  writer,
  nowUnixNs,
}: BudgetPorts): readonly RequestHandler[] => [
  express.json({ limit: BODY_BYTES_MAX }),
  async (request: Request, response: Response) => {
    const revision = revisionOf(request.headers['if-match']);
    const done = await writer.change('setBudgets', {
      items: itemsOf(request.body),
      atUnixNs: nowUnixNs(),
      ...(revision !== undefined && { revision }),
    });
    if (done === undefined) throw notStoring();
    if ('conflict' in done.answer)
      throw new ApiError(
        412,
        'changed_meanwhile',
        `somebody changed the budgets since (revision ${done.answer.now.revision} now): read them again`,
      );
    response.setHeader('ETag', etagOf(done.answer));
    response.setHeader('Cache-Control', 'no-store');
    response.type('json').send(JSON.stringify(done.answer));
  },
];

const etagOf = ({ revision }: BudgetList): string => `"${revision}"`;

function revisionOf(header: string | undefined): number | undefined {
  if (header === undefined || header === '*') return undefined;
  const digits = /^(?:W\/)?"(\d{1,15})"$/.exec(header)?.[1];
  if (digits === undefined)
    throw bad('If-Match', 'must be the ETag of GET /api/v1/budgets, e.g. "3", or *');
  return Number(digits);
}

function itemsOf(body: unknown): BudgetInput['items'] {
  const { items } = Object(body ?? {}) as { items?: unknown };
  if (!Array.isArray(items) || items.length > ITEMS_MAX)
    throw bad(
      'the body',
      `must be {"items": [{"measure": "voice_to_voice", "limitNs": 700000000}]}, at most ${ITEMS_MAX}, sent as application/json`,
    );
  const seen = new Set<string>();
  return items.map((item: unknown, i) => {
    const { measure, limitNs } = Object(item ?? {}) as { measure?: unknown; limitNs?: unknown };
    if (typeof measure !== 'string' || !MEASURE.test(measure))
      throw bad(`items[${i}].measure`, 'must be the name of a measure or family');
    if (seen.has(measure)) throw bad(`items[${i}].measure`, `"${measure}" is there twice`);
    seen.add(measure);
    return { measure, limitNs: limitOf(i, limitNs) };
  });
}

function limitOf(i: number, limitNs: unknown): number | null {
  if (limitNs === null) return null;
  const isLimit =
    typeof limitNs === 'number' &&
    Number.isInteger(limitNs) &&
    limitNs >= LIMIT_NS.min &&
    limitNs <= LIMIT_NS.max;
  if (!isLimit)
    throw bad(
      `items[${i}].limitNs`,
      'must be whole nanoseconds from 1000 (1 µs) to 600000000000 (10 min), or null for none',
    );
  return limitNs;
}

const bad = (name: string, what: string): ApiError =>
  new ApiError(400, 'bad_budgets', `${name} ${what}`);
