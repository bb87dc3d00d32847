// A call as aligned text: a row per lane, a column per 100 ms. A test that shows
// its call this way needs no comment to say what happens when.
//
//   user   ..aaaaaaaa.............
//   agent  ................bbbbbb..
//   wait             ------          (made, not read)
//
// A run of one letter is one piece of speech. `x` where both lanes speak is not
// needed: lanes overlap at a barge-in as they do in life.

import { NS_PER_MS } from '@framescope/protocol';
import { answerOf, type Scenario, scenarioOf, turnOf, type TurnSpec } from './scenario.ts';
import { type CallTruth } from './truth.ts';

const COLUMN_MS = 100;
const LANE = /^\s*(user|agent|gone)\s+([.\w ]*)$/;

interface Run {
  readonly startMs: number;
  readonly endMs: number;
}

/** Reads lanes of letters and dots; anything else is an error that shows the line. */
function lanesOf(picture: string): Map<string, Run[]> {
  const lanes = new Map<string, Run[]>();
  for (const line of picture.split('\n').filter(one => one.trim() !== '')) {
    const match = LANE.exec(line);
    if (match === null)
      throw new Error(`not a lane: "${line}"; write user, agent or gone, then letters and dots`);
    lanes.set(match[1]!, runsOf(match[2]!));
  }
  return lanes;
}

const runsOf = (lane: string): Run[] =>
  [...lane.matchAll(/(\w)\1*/g)].map(match => ({
    startMs: match.index * COLUMN_MS,
    endMs: (match.index + match[0].length) * COLUMN_MS,
  }));

/**
 * A scenario out of a picture. The user's runs are turns; the agent's run that follows says how long
 * its audio is, and how long the model took (inference is what the other parts leave of the gap); a
 * run of `gone` is a hang-up. Everything else is as in `changes`.
 */
export function callPicture(
  picture: string,
  changes: Partial<Scenario> & { readonly id: string },
): Scenario {
  const lanes = lanesOf(picture);
  const agent = lanes.get('agent') ?? [];
  const gone = lanes.get('gone')?.[0];
  const users = lanes.get('user') ?? [];
  const turns = users.map((user, index) => turnFrom(user, users[index + 1], { agent, gone }));
  return scenarioOf({ turns, ...changes });
}

function turnFrom(
  user: Run,
  next: Run | undefined,
  others: { readonly agent: readonly Run[]; readonly gone: Run | undefined },
): TurnSpec {
  const answer = others.agent.find(
    run => run.startMs >= user.endMs && (next === undefined || run.startMs < next.startMs),
  );
  const base = turnOf({ startMs: user.startMs, speechMs: user.endMs - user.startMs });
  if (answer === undefined) {
    if (others.gone === undefined)
      throw new Error(`nobody answers the user at ${user.startMs} ms, and nobody is gone`);
    return { ...base, abandonedAfterMs: others.gone.startMs - user.endMs };
  }
  const waitMs = answer.startMs - user.endMs;
  const answered = { ...base, answer: answerIn(waitMs, answer.endMs - answer.startMs, base) };
  const isCut = next !== undefined && next.startMs < answer.endMs;
  return isCut ? { ...answered, bargeIn: { afterMs: next.startMs - answer.startMs } } : answered;
}

/** Network, buffer and device of an ordinary call together, in round figures. */
const WAY_MS = 130;

function answerIn(waitMs: number, audioMs: number, turn: TurnSpec): TurnSpec['answer'] {
  const answer = answerOf({ audioMs: Math.ceil(audioMs / 200) * 200 });
  const othersMs =
    WAY_MS +
    Math.max(turn.endpointingMs, turn.transcriptionMs) +
    answer.preparationMs +
    answer.aggregationMs +
    answer.synthesisMs +
    answer.deliveryMs +
    answer.leadingSilenceMs;
  if (waitMs <= othersMs)
    throw new Error(`a gap of ${waitMs} ms is too short: all but the model takes ${othersMs}`);
  return { ...answer, inferenceMs: waitMs - othersMs };
}

/** The truth of a call as the same kind of picture, with a lane for the waits. */
export function pictureOf(truth: CallTruth): string {
  const lanes: [string, Run[]][] = [
    ['user', truth.turns.map(turn => runFrom(turn.userStartNs, turn.userEndNs))],
    ['wait', truth.turns.flatMap(turn => turn.waits.map(one => runFrom(one.openNs, one.closeNs)))],
  ];
  return lanes.map(([name, runs]) => `${name.padEnd(6)}${laneFrom(runs)}`).join('\n');
}

const runFrom = (startNs: number, endNs: number): Run => ({
  startMs: startNs / NS_PER_MS,
  endMs: endNs / NS_PER_MS,
});

function laneFrom(runs: readonly Run[]): string {
  let lane = '';
  for (const [index, run] of runs.entries()) {
    lane = lane.padEnd(Math.round(run.startMs / COLUMN_MS), '.');
    lane = lane.padEnd(Math.round(run.endMs / COLUMN_MS), String.fromCharCode(97 + (index % 26)));
  }
  return lane;
}
