// Brings the real programs that interop runs against into a cache folder outside the repository:
// built from their packages by each language's own client, once.
//
//   jaeger         Jaeger 2.13: module github.com/jaegertracing/jaeger at v1.76.0 holds the source of
//                  both majors; its v2 tags have no module path. `go install` refuses its `replace`,
//                  so a module of ours requires it, with the checksums that it ships.
//   telemetrygen   the OpenTelemetry Collector's load generator
//   interop-go     programs/go with the SDK for Go
//   python/        a virtual environment with the SDK for Python
//   javascript/    packages of the SDK for JavaScript with its gRPC exporter
//
// A stamp beside each says what was built; another version builds it anew.

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const JAEGER = 'v1.76.0';
const TELEMETRYGEN = 'v0.161.0';
const PYTHON_OTEL = '1.38.0';
const JS_PACKAGES = [
  '@opentelemetry/api@1.9.1',
  '@opentelemetry/resources@2.12.1',
  '@opentelemetry/sdk-trace-base@2.12.1',
  '@opentelemetry/exporter-trace-otlp-proto@0.223.0',
  '@opentelemetry/exporter-trace-otlp-http@0.223.0',
  '@opentelemetry/exporter-trace-otlp-grpc@0.223.0',
];

export const CACHE = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'framescope-interop',
);
const BIN = join(CACHE, 'bin');
const PROGRAMS = fileURLToPath(new URL('programs/', import.meta.url));

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 */
export function run(command, args, { cwd = CACHE, env = {} } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  if (result.status === 0) return result.stdout;
  const why = result.error?.message ?? result.stderr.split('\n').slice(-8).join('\n');
  throw new Error(`${command} ${args.join(' ')} failed:\n${why}`);
}

/** @param {string} name */
const stampOf = name => join(CACHE, `${name}.stamp`);

/** @param {string} recipe */
const hashOf = recipe => createHash('sha256').update(recipe).digest('hex');

/** @param {string} name @param {string} recipe */
export function isThere(name, recipe) {
  const stamp = stampOf(name);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === hashOf(recipe);
}

/** @param {string} name @param {string} recipe @param {() => void} build */
export function once(name, recipe, build) {
  if (isThere(name, recipe)) return;
  const startMs = Date.now();
  console.log(`interop: building ${name} …`);
  build();
  writeFileSync(stampOf(name), hashOf(recipe));
  console.log(`interop: ${name} is there after ${Math.round((Date.now() - startMs) / 1_000)} s`);
}

function buildJaeger() {
  const folder = join(CACHE, 'jaeger-build');
  mkdirSync(folder, { recursive: true });
  const module = 'github.com/jaegertracing/jaeger';
  writeFileSync(
    join(folder, 'go.mod'),
    `module framescope.invalid/interop\n\ngo 1.24.6\n\nrequire ${module} ${JAEGER}\n\n` +
      'replace github.com/Shopify/sarama => github.com/Shopify/sarama v1.33.0\n',
  );
  const { Dir } = JSON.parse(run('go', ['mod', 'download', '-json', `${module}@${JAEGER}`]));
  writeFileSync(join(folder, 'go.sum'), readFileSync(join(Dir, 'go.sum')));
  run('go', ['get', `${module}/cmd/jaeger@${JAEGER}`], { cwd: folder });
  run('go', ['build', '-o', join(BIN, 'jaeger'), `${module}/cmd/jaeger`], { cwd: folder });
}

function buildTelemetrygen() {
  const module = 'github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen';
  run('go', ['install', `${module}@${TELEMETRYGEN}`], { env: { GOBIN: BIN } });
}

function buildGo() {
  const folder = join(CACHE, 'go-build');
  cpSync(join(PROGRAMS, 'go'), folder, { recursive: true });
  run('go', ['build', '-o', join(BIN, 'interop-go'), '.'], { cwd: folder });
}

function buildPython() {
  const folder = join(CACHE, 'python');
  run('python3', ['-m', 'venv', '--clear', folder]);
  const packages = ['sdk', 'exporter-otlp-proto-http', 'exporter-otlp-proto-grpc'];
  const wanted = packages.map(name => `opentelemetry-${name}==${PYTHON_OTEL}`);
  run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...wanted]);
}

function buildJavaScript() {
  const folder = join(CACHE, 'javascript');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  run('npm', ['install', '--no-audit', '--no-fund', '--save-exact', ...JS_PACKAGES], {
    cwd: folder,
  });
}

/** @type {readonly [name: string, recipe: string, build: () => void]} */
const PYTHON = ['python', PYTHON_OTEL, buildPython];

/** PyPI is away: what needs it is left out (scripts/run/interop.mjs). */
const isWithoutPython = () => process.env['FRAMESCOPE_INTEROP_WITHOUT'] === 'python';

/** Whether the SDK for Python is there. */
export const isPythonInstalled = () => isThere(PYTHON[0], PYTHON[1]);

/**
 * A small package by pip, as the rest would come.
 * @returns {boolean} whether it came
 */
export function canReachPyPI() {
  const folder = mkdtempSync(join(tmpdir(), 'framescope-pypi-'));
  try {
    run('python3', ['-m', 'venv', folder], { cwd: folder });
    const wanted = `opentelemetry-api==${PYTHON_OTEL}`;
    const pip = [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--retries',
      '1',
      '--dest',
      folder,
    ];
    run(join(folder, 'bin', 'python'), [...pip, wanted], { cwd: folder });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns {readonly (readonly [name: string, recipe: string, build: () => void])[]} */
function programs() {
  const go = ['main.go', 'go.mod', 'go.sum'].map(name =>
    readFileSync(join(PROGRAMS, 'go', name), 'utf8'),
  );
  return [
    ['javascript', JS_PACKAGES.join(), buildJavaScript],
    ...(isWithoutPython() ? [] : [PYTHON]),
    ['interop-go', go.join(), buildGo],
    ['telemetrygen', TELEMETRYGEN, buildTelemetrygen],
    ['jaeger', JAEGER, buildJaeger],
  ];
}

/** Whether all of them are there: then nothing is asked of a registry. */
export const isInstalled = () => programs().every(([name, recipe]) => isThere(name, recipe));

/**
 * @param {string} [only] The name of one program; absent: all of them.
 * @throws when one of them cannot be had; the message names the command that failed.
 */
export function install(only) {
  mkdirSync(BIN, { recursive: true });
  for (const [name, recipe, build] of programs())
    if (only === undefined || only === name) once(name, recipe, build);
}
