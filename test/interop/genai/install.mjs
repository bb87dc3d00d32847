// Instrumentations of models as users have them, in the cache folder of interop: a virtual environment each.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, isThere, once, run } from '../install.mjs';

const EXPORTER = 'opentelemetry-exporter-otlp-proto-http==1.45.2';

/**
 * 2.4b0 asks for a module that no release of `opentelemetry-util-genai` has, and 2.3b0 calls wrapt as it was
 * before 2.
 */
const OPENAI_V2 = [
  'opentelemetry-instrumentation-openai-v2==2.3b0',
  'openai==2.54.0',
  'wrapt==1.17.3',
  EXPORTER,
];
const LOGFIRE = ['logfire==5.4.0', 'pydantic-ai-slim[openai]==2.68.0', EXPORTER];

/** @type {readonly (readonly [name: 'openai-v2' | 'logfire', packages: readonly string[]])[]} */
const ENVIRONMENTS = [
  ['openai-v2', OPENAI_V2],
  ['logfire', LOGFIRE],
];

/** @param {string} name */
const folderOf = name => `genai-${name}`;

/** @param {string} name */
export const pythonOf = name => join(CACHE, folderOf(name), 'bin', 'python');

/** Whether all of them are there: then nothing is asked of PyPI. */
export const isGenAiInstalled = () =>
  ENVIRONMENTS.every(([name, packages]) => isThere(folderOf(name), packages.join()));

/** @throws when a package cannot be had; the message names the command that failed. */
export function installGenAi() {
  mkdirSync(CACHE, { recursive: true });
  for (const [name, packages] of ENVIRONMENTS)
    once(folderOf(name), packages.join(), () => {
      run('python3', ['-m', 'venv', '--clear', join(CACHE, folderOf(name))]);
      run(pythonOf(name), ['-m', 'pip', 'install', '--quiet', ...packages]);
    });
}
