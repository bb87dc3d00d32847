// The simulator's front door: scenarios, their truth, and (simulate.ts) the real code run on them.
export { callTruth, savesOf } from './call-truth.ts';
export {
  answerOf,
  HOME_LEGS,
  LAN_LEGS,
  scenarioOf,
  SKEWED_HOSTS,
  turnOf,
  type Scenario,
} from './scenario.ts';
export {
  hopOf,
  passed,
  type CallTruth,
  type HopTruth,
  type TurnTruth,
  type WaitTruth,
} from './truth.ts';
