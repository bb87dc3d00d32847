// Pipecat as users have it, in the cache folder of interop: a virtual environment a version.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, isThere, once, run } from '../install.mjs';

/**
 * The newest, and one before each rename that matters: 1.1.0 before stt and tts spans had a length
 * (1.2.0), 0.0.106 before `gen_ai.provider.name` (0.0.107), 0.0.101 before
 * `turn.user_bot_latency_seconds` (0.0.102); and 1.7.0, which wrote no ttfb of short syntheses.
 */
export const NEWEST = '1.14.0';
export const OLDER = ['1.7.0', '1.1.0', '0.0.106', '0.0.101'];

/** What these need and do not ask for. */
const MORE = ['opentelemetry-exporter-otlp-proto-http', 'websockets<16'];
/** Somebody else's spans of the newest. */
const WITH_NEWEST = ['openinference-instrumentation-pipecat==2.0.9'];

/** @param {string} version */
export const pythonOf = version => join(CACHE, `pipecat-${version}`, 'bin', 'python');

/** @param {string} version */
const recipeOf = version => [
  `pipecat-ai[tracing]==${version}`,
  ...MORE,
  ...(version === NEWEST ? WITH_NEWEST : []),
];

/** Whether all of them are there: then nothing is asked of PyPI. */
export const isPipecatInstalled = () =>
  [NEWEST, ...OLDER].every(version => isThere(`pipecat-${version}`, recipeOf(version).join()));

/** @throws when a package cannot be had; the message names the command that failed. */
export function installPipecat() {
  mkdirSync(CACHE, { recursive: true });
  for (const version of [NEWEST, ...OLDER]) {
    const wanted = recipeOf(version);
    once(`pipecat-${version}`, wanted.join(), () => {
      run('python3', ['-m', 'venv', '--clear', join(CACHE, `pipecat-${version}`)]);
      run(pythonOf(version), ['-m', 'pip', 'install', '--quiet', ...wanted]);
    });
  }
}
