// There is no engine here to build the image with: what can be held against the code is.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { helpText, readCommand } from '../packages/collector/src/config.ts';
import { expect, test } from 'vitest';

const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const dockerfile = readFileSync(path('Dockerfile'), 'utf8');

const environment = (): Record<string, string> => {
  const [, block = ''] = /^ENV ((?:.*\\\n)*.*)$/m.exec(dockerfile) ?? [];
  const pairs = block.replaceAll('\\\n', ' ').trim().split(/\s+/);
  return Object.fromEntries(pairs.map(pair => pair.split('=', 2) as [string, string]));
};

test('the environment of the image is taken by the command, and its ports are the exposed ones', () => {
  const token = 'at-least-16-characters';
  const command = readCommand([], { ...environment(), FRAMESCOPE_TOKEN: token });
  expect(command).toMatchObject({
    kind: 'serve',
    options: { host: '0.0.0.0', port: 4318, grpcPort: 4317, data: '/data', token },
  });
  expect(/^EXPOSE (.*)$/m.exec(dockerfile)?.[1]).toBe('4318 4317');
});

test('every variable that the image or its comment names is the twin of a flag', () => {
  const names = [...dockerfile.matchAll(/FRAMESCOPE_[A-Z_]+/g)].map(([name]) => name);
  expect(new Set(names).size).toBeGreaterThanOrEqual(7);
  for (const name of names) {
    const flag = name.replace('FRAMESCOPE_', '').toLowerCase().replaceAll('_', '-');
    expect(helpText()).toMatch(new RegExp(`^  --${flag}\\b`, 'm'));
  }
});

test('what is packed and started is where the packages say', () => {
  const collector = JSON.parse(readFileSync(path('packages/collector/package.json'), 'utf8')) as {
    name: string;
    bin: Record<string, string>;
  };
  const workspaces = [...dockerfile.matchAll(/-w (\S+)/g)].map(([, name]) => name);
  expect(workspaces).toEqual(['@framescope/protocol', collector.name]);
  const [, entry = ''] = /^ENTRYPOINT \["node", "(.*)"\]$/m.exec(dockerfile) ?? [];
  const bin = Object.values(collector.bin)[0]!.replace('./', '');
  expect(entry).toBe(`/app/node_modules/${collector.name}/${bin}`);
  expect(existsSync(path(`packages/collector/${bin}`))).toBe(true);
});
