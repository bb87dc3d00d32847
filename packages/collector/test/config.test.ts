import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CollectorOptions } from '../src/collector.ts';
import { helpText, readCommand, UsageError } from '../src/config.ts';
import { temporaryFolder } from './support/spans.ts';

function optionsOf(args: string, environment: Record<string, string> = {}): CollectorOptions {
  const command = readCommand(args.split(' ').filter(Boolean), environment);
  if (command.kind !== 'serve') throw new Error(command.kind);
  return command.options;
}

function problemOf(args: string, environment: Record<string, string> = {}): string {
  try {
    optionsOf(args, environment);
    return 'taken';
  } catch (error) {
    return error instanceof UsageError ? error.message : `crash: ${String(error)}`;
  }
}

test('without flags a collector listens on 127.0.0.1:4318 and keeps 10 GB', () => {
  expect(optionsOf('')).toMatchObject({
    host: '127.0.0.1',
    port: 4_318,
    data: './framescope-data',
    maxBytes: 10 * 1024 ** 3,
    allowRemote: false,
  });
});

test('flags are taken with and without =, after serve or not', () => {
  expect(
    optionsOf('serve --port=0 --data /tmp/x --max-size 500MB --allowed-host a --allowed-host b'),
  ).toMatchObject({
    port: 0,
    data: '/tmp/x',
    maxBytes: 500e6,
    allowedHosts: ['a', 'b'],
  });
});

test('each flag has a twin in the environment, and the flag wins', () => {
  const environment = {
    FRAMESCOPE_PORT: '5000',
    FRAMESCOPE_MAX_SIZE: '1.5GB',
    FRAMESCOPE_ALLOW_REMOTE: '1',
  };
  expect(optionsOf('--port 6000', environment)).toMatchObject({
    port: 6_000,
    maxBytes: 1.5e9,
    allowRemote: true,
  });
});

test.each([
  ['--prot 5', '--prot is not a flag. Did you mean --port?'],
  ['--maxsize 5GB', '--maxsize is not a flag. Did you mean --max-size?'],
  ['--port', '--port needs a value: --port PORT'],
  ['--port --data x', '--port needs a value: --port PORT'],
  ['--port 65536', '--port must be a number from 0 to 65535, got "65536"'],
  ['--port 65535', 'taken'],
  ['--max-size 63MB', '--max-size must be a size of 64MB or more, e.g. 10GB, got "63MB"'],
  ['--max-size 64MB', 'taken'],
  ['--max-memory 63MB', '--max-memory must be a size of 64MB or more, e.g. 10GB, got "63MB"'],
  ['--max-memory 64MB', 'taken'],
  ['--grpc-port 65536', '--grpc-port must be a number from 0 to 65535, got "65536"'],
  ['--grpc-port off', 'taken'],
  ['--token fifteen-letters', '--token must have 16 characters or more, none of them a space'],
  ['--token sixteen-letters!', 'taken'],
  ['--tls-cert cert.pem', '--tls-cert and --tls-key belong together: give both, or neither'],
  [
    '--cors-origin app.example',
    '--cors-origin must be an origin such as https://app.example, without a path, got "app.example"',
  ],
  [
    '--redact transcripts,,a',
    '--redact must be transcripts, or names of attributes with commas between, got "transcripts,,a"',
  ],
  [
    '--forward otlp+http://a --forward otlp+http://a?delay=1',
    '--forward otlp+http://a:4318 is named twice with the same send=',
  ],
  ['--allow-remote=yes', '--allow-remote takes no value'],
  ['--log-format xml', '--log-format must be text or json, got "xml"'],
  [
    'exprot',
    '"exprot" is not a command; there are serve (the default), export, import, check, prune, rebuild, sql and integrity',
  ],
  ['serve now', '"now" belongs to no flag'],
])('framescope %s: %s', (args, expected) => {
  expect(problemOf(args)).toBe(expected);
});

test('gRPC has 4317 beside 4318, a free port beside a free one, and none beside another', () => {
  expect(
    ['', '--port 0', '--port 4418', '--port 4418 --grpc-port 4417'].map(
      args => optionsOf(args).grpcPort,
    ),
  ).toEqual([4_317, 0, 'off', 4_417]);
});

test('targets in the environment stand apart by spaces, lists by commas', () => {
  const { forward, corsOrigins, redact } = optionsOf('', {
    FRAMESCOPE_FORWARD: 'otlp+http://a?send=turns,promoted otlp+grpc://b',
    FRAMESCOPE_CORS_ORIGIN: 'https://a.example,https://B.example',
    FRAMESCOPE_REDACT: 'transcripts,customer.*',
  });
  expect(forward?.map(target => target.name)).toEqual(['otlp+http://a:4318', 'otlp+grpc://b:4317']);
  expect([corsOrigins, redact]).toEqual([
    ['https://a.example', 'https://b.example'],
    ['transcripts', 'customer.*'],
  ]);
});

test('a twin is checked like its flag', () => {
  expect(problemOf('', { FRAMESCOPE_ALLOW_REMOTE: 'maybe' })).toBe(
    'FRAMESCOPE_ALLOW_REMOTE must be 1 or true, got "maybe"',
  );
});

test('budgets come from a file in milliseconds', () => {
  const path = join(temporaryFolder(), 'budgets.json');
  writeFileSync(path, '{"voice_to_voice": 650, "part.inference": 300.5}');
  expect(optionsOf(`--budgets ${path}`).budgets).toEqual({
    voice_to_voice: 650_000_000,
    'part.inference': 300_500_000,
  });
  writeFileSync(path, '{"voice_to_voice": "fast"}');
  expect(problemOf(`--budgets ${path}`)).toMatch(
    /"voice_to_voice" must be a number of ms above 0$/,
  );
  expect(problemOf('--budgets /nowhere.json')).toMatch(/ENOENT/);
});

test('--help names every flag that is taken, on lines that fit', () => {
  const text = helpText();
  for (const name of [
    'host',
    'port',
    'data',
    'max-size',
    'budgets',
    'allowed-host',
    'allow-remote',
    'log-format',
  ])
    expect(text).toMatch(new RegExp(`^  --${name}\\b.*\\w`, 'm'));
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(130);
});
