// Speech over the agent that was none: the agent heard itself.

import {
  disagreements,
  runCall,
  type Scenario,
  scenarioOf,
  turnOf,
  type Ran,
} from '@framescope/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testCollector, type TestCollector } from './collector.ts';

let collector: TestCollector;
beforeAll(async () => {
  collector = await testCollector();
});
afterAll(() => collector.close());

const run = (changes: Partial<Scenario> & { readonly id: string }): Promise<Ran> =>
  runCall(collector.api, scenarioOf({ ...changes, startUnixMs: Date.now() - 600_000 }));

const wrongIn = ({ truth, answers, problems }: Ran): string[] => [
  ...problems,
  ...disagreements(truth, answers),
];

test('an agent that stops for its own echo was not interrupted; with words it was', async () => {
  const echoed = turnOf({ bargeIn: { afterMs: 400, echo: 0.97 } });
  const silent = await run({ id: 'echo', turns: [echoed, turnOf({ text: '' }), turnOf()] });
  expect(wrongIn(silent)).toEqual([]);
  expect(silent.answers.turns[0]?.bargeIn?.outcome).toBe('echo');
  expect(silent.answers.turns[0]?.features).toMatchObject({ bargein: 'echo' });
  expect(silent.answers.detail.bargeInCount).toBe(0);
  const spoken = await run({ id: 'words', turns: [echoed, turnOf(), turnOf()] });
  expect(spoken.answers.turns[0]?.bargeIn?.outcome).toBe('interrupted');
  expect(spoken.answers.detail.bargeInCount).toBe(1);
});
