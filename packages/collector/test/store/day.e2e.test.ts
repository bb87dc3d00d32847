// A day of calls squeezed into seconds, with retention on: the size of the folder
// is looked at after every commit and every tick, and a reader holds all files open.
//
// FRAMESCOPE_LONG=1 sends ten times as much.

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { VOLUMES_AT_CAP } from '../../src/store/sqlite/volume-files.ts';
import { makeLoop } from '../../src/writer/compose.ts';
import type { FromAssembly, FromWriter } from '../../src/writer/messages.ts';
import { attribute, bodyOf, spanJson } from '../support/otlp-bodies.ts';
import { NOON_NS, seconds } from '../support/spans.ts';

const IS_LONG = process.env['FRAMESCOPE_LONG'] === '1';
const BODIES_A_MINUTE = IS_LONG ? 10 : 1;
const MAX_BYTES = 24_000_000;
const MINUTES = 24 * 60;
const HOUR_NS = seconds(3_600);

/** Text that does not deflate. */
function noise(seed: number, length: number): string {
  const bytes = Buffer.alloc(length);
  let state = seed * 7_919 + 1;
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) >>> 0;
    bytes.writeUInt32LE(state, at);
  }
  return bytes.toString('base64');
}

const id = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** A minute of a call: spans of one trace, with prompts in them. */
function bodyAt(minute: number, part: number, nowUnixNs: bigint): Uint8Array {
  const number = minute * 100 + part + 1;
  return bodyOf(
    ...Array.from({ length: 10 }, (_, i) =>
      spanJson({
        traceId: id(number, 32),
        spanId: id(number * 100 + i + 1, 16),
        startTimeUnixNano: String(nowUnixNs),
        endTimeUnixNano: String(nowUnixNs + 1_000_000_000n),
        attributes: [
          attribute('session.id', { stringValue: `call-${Math.floor(minute / 10)}-${part}` }),
          attribute('prompt', { stringValue: noise(number * 100 + i, 3_000) }),
        ],
      }),
    ),
  );
}

test(
  'a day of calls never takes more than the cap and a volume, with readers open',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'framescope-day-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    let nowUnixNs = NOON_NS;
    let soon: (() => void)[] = [];
    const posted: (FromWriter | FromAssembly)[] = [];
    const held: { reader?: SqliteReader } = {};
    const loop = makeLoop(
      {
        folder,
        maxBytes: MAX_BYTES,
        retention: { spansNs: 12n * HOUR_NS, framesNs: 6n * HOUR_NS, turnsNs: 18n * HOUR_NS },
        clock: { domain: 'c0ffee00c0ffee00', epoch: 0, zeroUnixNs: NOON_NS },
        budgets: { limits: {}, inFile: [] },
      },
      {
        nowUnixNs: () => nowUnixNs,
        nowNs: () => Number(nowUnixNs - NOON_NS),
        soon: work => soon.push(work),
        post: message => {
          posted.push(message);
          if (message.type === 'volumes') held.reader?.refresh();
        },
      },
    );
    held.reader = new SqliteReader(folder);
    let highest = 0;
    let received = 0;
    for (let minute = 0; minute < MINUTES; minute++) {
      for (let part = 0; part < BODIES_A_MINUTE; part++) {
        nowUnixNs += seconds(60) / BigInt(BODIES_A_MINUTE);
        const bytes = bodyAt(minute, part, nowUnixNs);
        received += bytes.length;
        loop.accept(minute * 100 + part, { bytes, encoding: 'json' });
        while (soon.length > 0) soon.shift()!();
        highest = Math.max(highest, bytesOf(folder));
      }
      loop.tick();
      highest = Math.max(highest, bytesOf(folder));
    }
    const answers = posted.flatMap(one => (one.type === 'answers' ? one.answers : []));
    expect(new Set(answers.map(([, answer]) => answer.kind))).toEqual(new Set(['stored']));
    // The last hour is there, whatever went.
    for (let minute = MINUTES - 60; minute < MINUTES; minute++) {
      const trace = await held.reader.trace(id(minute * 100 + 1, 32), 100);
      expect(trace?.spans.length).toBe(10);
    }
    // What began more than 18 hours ago is in no list.
    const oldest = (await held.reader.sessions({ limit: 1_000 })).items.at(-1)!;
    expect(nowUnixNs - BigInt(oldest.endUnixNs)).toBeLessThan(19n * HOUR_NS);
    loop.close();
    held.reader.close();
    expect(received).toBeGreaterThan(1.5 * MAX_BYTES);
    expect(highest).toBeLessThanOrEqual(MAX_BYTES * (1 + 1 / VOLUMES_AT_CAP));
    soon = [];
  },
  IS_LONG ? 1_800_000 : 180_000,
);
