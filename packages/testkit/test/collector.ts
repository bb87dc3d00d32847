// A real collector for one test file, with data in a folder of its own.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCollector } from 'framescope';
import { ApiClient } from '@framescope/testkit';

export interface TestCollector {
  readonly api: ApiClient;
  close(): Promise<void>;
}

export async function testCollector(): Promise<TestCollector> {
  const data = await mkdtemp(join(tmpdir(), 'framescope-testkit-'));
  const collector = await startCollector({ port: 0, data });
  return {
    api: new ApiClient(collector.url),
    close: async () => {
      await collector.close();
      await rm(data, { recursive: true, force: true });
    },
  };
}
