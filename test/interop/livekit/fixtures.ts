// Keeps what a framework really sent as a fixture of `npm test`: FRAMESCOPE_CAPTURE=1 npm run
// test:interop -- livekit. Scrubbed of what is not ours to keep, and of what is of no use: prompts,
// tool definitions, paths of this machine, IDs of instances.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Framescope } from '../peers.ts';
import type { Script } from './scripts.ts';
import type { Happened } from './truth.ts';

const FOLDER = fileURLToPath(
  new URL('../../../packages/collector/test/recognise/fixtures/livekit/', import.meta.url),
);

interface Source {
  readonly flavour: { readonly package: string; readonly version: string };
  readonly script: Script;
  readonly truth: readonly Happened[];
}

/** What is as long as a prompt and says nothing of times. */
const DROPPED =
  /chat_ctx|messages$|tool\.definitions|system_instructions|stacktrace|function_tools|provider_tools|tool_sets|instructions$/;

interface Attribute {
  readonly key: string;
  value: { stringValue?: string };
}

export async function keepFixture(
  framescope: Framescope,
  key: string,
  { flavour, script, truth }: Source,
): Promise<void> {
  const body = await framescope.get(`/api/v1/export/${key}?format=otlp`);
  const fixture = {
    header: {
      package: flavour.package,
      version: flavour.version,
      command: 'FRAMESCOPE_CAPTURE=1 npm run test:interop -- livekit',
      date: new Date().toISOString().slice(0, 10),
      note: 'Spans of the package as the collector exports them; prompts, paths and IDs of instances taken out.',
    },
    script,
    truth,
    body: scrub(body),
  };
  const folder = join(
    FOLDER,
    `${flavour.package.replace('@livekit/agents', 'livekit-agents-js')}-${flavour.version}`,
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${script.name}.json`), `${JSON.stringify(fixture)}\n`);
}

function scrub(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(one => !isDropped(one)).map(scrub);
  if (typeof value === 'string') return value.replace(/(?:\/[\w.+-]+){2,}\/(?=[\w.-]+)/g, '…/');
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => name !== 'events');
  if ((value as Attribute).key === 'service.instance.id')
    return { key: 'service.instance.id', value: { stringValue: 'instance' } };
  return Object.fromEntries(entries.map(([name, one]) => [name, scrub(one)]));
}

const isDropped = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  DROPPED.test(String((value as Attribute).key ?? ''));
