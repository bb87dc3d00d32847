// The agent's own code in a simulated call: turns, stages, words, barge-ins, at
// their true times, by the calls that a user makes.

import type { BargeIn, Session, Stage, Turn, VendorTimings } from '@framescope/instrument';
import { derive } from '@framescope/instrument/lineage';
import { NS_PER_MS } from '@framescope/protocol';
import { type Party } from './frame-driver.ts';
import { TICKS_PER_MS } from './mic-truth.ts';
import { type VendorSpec } from './scenario.ts';
import { type AgentAct, type CallTruth, type TurnTruth } from './truth.ts';
import { type VirtualTime } from './virtual-time.ts';

export interface AgentDrive {
  readonly vadErrorMs: number;
  readonly vendor?: VendorSpec;
  /** The act of this name (`first_frame_sent`, `begin llm`, …) comes so much later than it should. */
  readonly shift?: { readonly act: string; readonly byMs: number };
}

/** How an act is named in a shift: the moment's name, or act and stage. */
export const nameOfAct = (one: AgentAct): string =>
  'stage' in one ? `${one.act} ${one.stage}` : one.act === 'moment' ? one.name : one.act;

export function driveAgent(
  time: VirtualTime,
  truth: CallTruth,
  party: Party,
  drive: AgentDrive,
): void {
  for (const turn of truth.turns) {
    const driver = new TurnDriver(party, turn, drive);
    for (const act of turn.acts) {
      const lateMs = drive.shift?.act === nameOfAct(act) ? drive.shift.byMs : 0;
      time.at(act.atNs + lateMs * NS_PER_MS, () => driver.perform(act));
    }
  }
}

class TurnDriver {
  readonly #call: Session;
  readonly #party: Party;
  readonly #truth: TurnTruth;
  readonly #vadErrorMs: number;
  readonly #vendor: VendorSpec | undefined;
  readonly #stages = new Map<string, Stage>();
  /** From a request to its first answer, by stage. */
  readonly #tookNs = new Map<string, number>();
  #turn: Turn | undefined;
  #bargeIn: BargeIn | undefined;

  constructor(party: Party, truth: TurnTruth, { vadErrorMs, vendor }: AgentDrive) {
    this.#party = party;
    this.#call = party.call;
    this.#truth = truth;
    this.#vadErrorMs = vadErrorMs;
    this.#vendor = vendor;
  }

  perform(act: AgentAct): void {
    if (act.act === 'start') {
      this.#turn = this.#call.startTurn({ stream: this.#party.mic, at: this.#truth.tick });
      return;
    }
    if (act.act === 'greet') {
      this.#turn = this.#call.greeting();
      return;
    }
    const turn = this.#turn;
    if (turn === undefined) throw new Error(`${act.act} before the turn's start`);
    switch (act.act) {
      case 'begin':
      case 'first':
      case 'finish':
        return this.#stage(turn, act);
      case 'moment':
        turn.moment(act.name, {
          ...(act.after === undefined ? {} : { after: act.after }),
          ...(act.generation === undefined ? {} : { generation: act.generation }),
        });
        return;
      case 'speechEnded':
        turn.speechEnded({ tick: act.tick, source: 'vad', errorMs: this.#vadErrorMs });
        return;
      case 'firstVoiced':
        turn.firstVoiced({
          stream: this.#party.agent,
          tick: act.tick,
          filler: act.filler,
          errorMs: this.#vadErrorMs,
        });
        return;
      default:
        return this.#other(turn, act);
    }
  }

  #stage(turn: Turn, act: Extract<AgentAct, { stage: string }>): void {
    if (act.act === 'begin') {
      const options = act.generation === undefined ? {} : { generation: act.generation };
      this.#stages.set(act.id, turn.stage(act.stage, options));
      this.#tookNs.set(act.id, -act.atNs);
      return;
    }
    const stage = this.#stages.get(act.id);
    if (act.act !== 'finish') {
      this.#tookNs.set(act.id, (this.#tookNs.get(act.id) ?? 0) + act.atNs);
      return void stage?.first();
    }
    const vendor = act.stage === 'llm' ? this.#told(this.#tookNs.get(act.id) ?? 0) : undefined;
    stage?.end({
      ...(vendor === undefined ? {} : { vendor }),
      ...(act.error === undefined ? {} : { error: act.error }),
      ...(act.discarded === undefined ? {} : { discarded: act.discarded }),
    });
  }

  /** The service's word of a request that took so long; one that never answered says nothing. */
  #told(tookNs: number): VendorTimings | undefined {
    if (this.#vendor === undefined || tookNs <= 0) return undefined;
    const { name, queueShare } = this.#vendor;
    const rttMs = Math.min(this.#vendor.rttMs, tookNs / NS_PER_MS / 2);
    const processingMs = tookNs / NS_PER_MS - rttMs;
    return { name, rttMs, queueMs: queueShare * processingMs, processingMs };
  }

  #other(turn: Turn, act: AgentAct): void {
    switch (act.act) {
      case 'wait':
        turn.wait('resume', { source: 'filler end' });
        return;
      case 'heard':
        // Noise and echoes have no words.
        if (act.text === '') return;
        turn.heard(act.text);
        // The recogniser of a simulation knows what it heard.
        derive(this.#call, {
          stream: this.#party.mic,
          fromTick: this.#truth.tick,
          toTick: Math.round((this.#truth.userEndNs / NS_PER_MS) * TICKS_PER_MS),
          text: act.text,
          quality: 'exact',
        });
        return;
      case 'said':
        turn.said(act.text, act.cut === undefined ? {} : { cut: act.cut });
        return;
      case 'bargeIn':
        this.#bargeIn = turn.bargeIn({ onsetTick: act.onsetTick });
        this.#bargeIn.detected();
        return;
      case 'bargeInDecided':
        this.#bargeIn?.decided();
        return;
      case 'bargeInResumed':
        this.#bargeIn?.resumed();
        return;
      case 'bargeInEcho':
        this.#bargeIn?.echo(act.correlation);
        return;
      case 'backchannel':
        turn.backchannel();
        return;
      case 'bargeInCancelled':
        this.#bargeIn?.cancelled({ generatedTick: act.generatedTick });
        return;
      case 'end':
        turn.end({ outcome: act.outcome });
        return;
      default:
        throw new Error(`nobody performs ${act.act}`);
    }
  }
}
