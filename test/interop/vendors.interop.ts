// Voice platforms whose calls nobody here could see: the reports that our tests read are held against
// the types of their own SDKs, and webhooks are signed by their own code.
//
// The SDKs are a quarter of a gigabyte unpacked: they are installed into the cache folder, not beside our tests.

import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { startCollector } from 'framescope';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  deepgramEvents,
  elevenLabsReport,
  retellReport,
  vapiReport,
} from '../../packages/collector/test/support/call-reports.ts';
import { CACHE, once, run } from './install.mjs';
import { temporaryFolder } from './peers.ts';

const FOLDER = join(CACHE, 'vendors');
const PACKAGES = [
  '@vapi-ai/server-sdk@2.0.1',
  'retell-sdk@5.66.1',
  '@deepgram/sdk@5.13.0',
  '@elevenlabs/elevenlabs-js@2.73.0',
  'typescript@5.9.3',
  '@types/node@20',
];

beforeAll(() => {
  once('vendors', PACKAGES.join(), () => {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, 'package.json'), '{"private":true,"type":"module"}\n');
    run(
      'npm',
      ['install', '--no-audit', '--no-fund', '--save-exact', '--ignore-scripts', ...PACKAGES],
      {
        cwd: FOLDER,
      },
    );
  });
}, 300_000);

/** Literals, so that a field that a type does not have is refused. */
const literal = (type: string, value: unknown): string =>
  `export const report: ${type} = ${JSON.stringify(value, null, 1)};\n`;

/** What the compiler says of files by name; empty: nothing. */
function problemsOf(files: Readonly<Record<string, string>>): string {
  const folder = join(FOLDER, 'check');
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const names = Object.keys(files).map(name => join('check', name));
  const options = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--target',
    'es2022',
  ];
  const tsc = ['node_modules/typescript/bin/tsc', ...options, ...names];
  const { stdout, status, error } = spawnSync(process.execPath, tsc, {
    cwd: FOLDER,
    encoding: 'utf8',
  });
  if (error) throw error;
  return status === 0 ? '' : stdout;
}

const VAPI = "import type { Vapi } from '@vapi-ai/server-sdk';\n";
const RETELL = "import type Retell from 'retell-sdk';\n";
const DEEPGRAM = "import type { Deepgram } from '@deepgram/sdk';\n";
// Their wire is not what their classes hold: the types of the raw JSON stand with the serializers.
const ELEVENLABS =
  "import type { GetConversationResponseModel } from '@elevenlabs/elevenlabs-js/serialization/index.js';\n";

test('the reports that our tests read are of the types of the vendors’ SDKs', () => {
  const events = deepgramEvents.map(one => one.event);
  const types =
    'Deepgram.agent.AgentV1Welcome | Deepgram.agent.AgentV1Settings | Deepgram.agent.AgentV1SettingsApplied | ' +
    'Deepgram.agent.AgentV1UserStartedSpeaking | Deepgram.agent.AgentV1ConversationText | ' +
    'Deepgram.agent.AgentV1LatencyReport | Deepgram.agent.AgentV1AgentAudioDone';
  expect(
    problemsOf({
      'vapi.ts': VAPI + literal('Vapi.ServerMessageEndOfCallReport', vapiReport.message),
      'retell.ts': RETELL + literal('Retell.WebCallResponse', retellReport.call),
      'deepgram.ts': DEEPGRAM + literal(`(${types})[]`, events),
      'elevenlabs.ts':
        ELEVENLABS + literal('GetConversationResponseModel.Raw', elevenLabsReport.data),
    }),
  ).toBe('');
});

test('a report with a name that the SDK does not know is refused by the same check', () => {
  const wrong = structuredClone(retellReport.call) as unknown as {
    latency: Record<string, unknown>;
  };
  wrong.latency['end_to_end'] = { values: [1] };
  const { message } = structuredClone(vapiReport) as unknown as {
    message: { artifact: { performanceMetrics: { turnLatencies: object[] } } };
  };
  message.artifact.performanceMetrics.turnLatencies = [{ llmLatency: 3 }];
  const problems = problemsOf({
    'vapi-wrong.ts': VAPI + literal('Vapi.ServerMessageEndOfCallReport', message),
    'retell-wrong.ts': RETELL + literal('Retell.WebCallResponse', wrong),
  });
  expect(problems).toContain('end_to_end');
  expect(problems).toContain('llmLatency');
});

const load = (name: string): unknown => createRequire(join(FOLDER, 'package.json'))(name);

async function answerOf(
  vendor: 'retell' | 'elevenlabs',
  body: string,
  headers: Record<string, string>,
): Promise<number> {
  const collector = await startCollector({
    data: temporaryFolder(),
    port: 0,
    webhookSecrets: { retell: 'the API key', elevenlabs: 'the secret' },
  });
  onTestFinished(() => collector.close());
  const answer = await fetch(`${collector.url}/webhooks/${vendor}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return answer.status;
}

test('what Retell’s own code signs is taken, and what it signs with another key is not', async () => {
  const { sign } = load('retell-sdk') as {
    sign: (body: string, key: string) => Promise<string>;
  };
  const body = JSON.stringify(retellReport);
  const signed = async (key: string) => ({ 'x-retell-signature': await sign(body, key) });
  expect(await answerOf('retell', body, await signed('the API key'))).toBe(200);
  expect(await answerOf('retell', body, await signed('another key'))).toBe(401);
});

test('a signature is taken exactly where ElevenLabs’ own code takes it', async () => {
  const { ElevenLabsClient } = load('@elevenlabs/elevenlabs-js') as {
    ElevenLabsClient: new (options: object) => {
      webhooks: { constructEvent(body: string, header: string, secret: string): Promise<unknown> };
    };
  };
  const { webhooks } = new ElevenLabsClient({ apiKey: 'none' });
  const body = JSON.stringify(elevenLabsReport);
  const now = Math.floor(Date.now() / 1_000);
  for (const [secret, seconds] of [
    ['the secret', now],
    ['another', now],
    ['the secret', now - 3_600],
  ] as const) {
    const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
    const header = `t=${seconds},v0=${digest}`;
    const theirs = await webhooks.constructEvent(body, header, 'the secret').then(
      () => 200,
      () => 401,
    );
    expect(await answerOf('elevenlabs', body, { 'elevenlabs-signature': header })).toBe(theirs);
  }
});
