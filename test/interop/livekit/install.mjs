// LiveKit Agents as users have it, in the cache folder of interop: never in the workspaces, since
// the packages for Node bring 290 MB and parts under the LGPL.
//
//   livekit-py-1.8.9/   a virtual environment of `livekit-agents`, one a version
//   livekit-js-1.9.0/   `@livekit/agents` and its peers

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, isThere, once, run } from '../install.mjs';

/** The newest, and one before each rename that matters (lk.X became lk.pii.X in 1.7.0). */
export const PYTHON_VERSIONS = ['1.8.9', '1.7.1', '1.6.10'];
export const NODE_VERSION = '1.9.0';
const NODE_PACKAGES = [
  `@livekit/agents@${NODE_VERSION}`,
  '@livekit/rtc-node@0.13.35',
  'zod@4.6.7',
  '@opentelemetry/sdk-trace-node@2.12.1',
  '@opentelemetry/exporter-trace-otlp-proto@0.220.0',
];

/** @param {string} version */
export const pythonOf = version => join(CACHE, `livekit-py-${version}`, 'bin', 'python');

export const NODE_FOLDER = join(CACHE, `livekit-js-${NODE_VERSION}`);

/** Whether those for Python are there: then nothing is asked of PyPI. */
export const isLiveKitPythonInstalled = () =>
  PYTHON_VERSIONS.every(version => isThere(`livekit-py-${version}`, version));

/** @throws when a package cannot be had; the message names the command that failed. */
export function installLiveKit() {
  mkdirSync(CACHE, { recursive: true });
  for (const version of PYTHON_VERSIONS)
    once(`livekit-py-${version}`, version, () => {
      run('python3', ['-m', 'venv', '--clear', join(CACHE, `livekit-py-${version}`)]);
      run(pythonOf(version), ['-m', 'pip', 'install', '--quiet', `livekit-agents==${version}`]);
    });
  once(`livekit-js-${NODE_VERSION}`, NODE_PACKAGES.join(), () => {
    mkdirSync(NODE_FOLDER, { recursive: true });
    writeFileSync(join(NODE_FOLDER, 'package.json'), '{"private":true,"type":"module"}\n');
    run('npm', ['install', '--no-audit', '--no-fund', '--save-exact', ...NODE_PACKAGES], {
      cwd: NODE_FOLDER,
    });
  });
}
