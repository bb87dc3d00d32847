// The simulator's front door: scenarios, their truth, the real code run on them, and the comparison.
export { ApiClient } from './api-client.ts';
export { callPicture, pictureOf } from './call-picture.ts';
export { callTruth, savesOf } from './call-truth.ts';
export {
  CAUSE_KINDS,
  type CauseKind,
  type CauseTruth,
  type CauseWorld,
  causeWorld,
  type CauseWorldSpec,
} from './cause-worlds.ts';
export { type Answers, disagreements } from './compare.ts';
export { isRight, loadCauseWorld, type ToldCause } from './load-cause-world.ts';
export { type DaySpec, dayOf, SYNTHETIC_LABEL } from './day.ts';
export { loadDay, type LoadOptions, type Loaded } from './load-day.ts';
export { type Ran, runCall, settledAnswers } from './run-call.ts';
export {
  answerOf,
  HOME_LEGS,
  HOSTS,
  type HostName,
  LAN_LEGS,
  type Scenario,
  scenarioOf,
  SKEWED_HOSTS,
  turnOf,
} from './scenario.ts';
export {
  collectorTimeOf,
  deliver,
  deliverAtOnce,
  simulate,
  type SimulateOptions,
  type Simulated,
} from './simulate.ts';
export {
  type CallTruth,
  hopOf,
  type HopTruth,
  passed,
  type TurnTruth,
  type WaitTruth,
} from './truth.ts';
export { type CollectorTime, hostPorts, type SentBody, type World } from './virtual-host.ts';
export { VirtualTime } from './virtual-time.ts';
