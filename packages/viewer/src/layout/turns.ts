// Turns on the timeline: who spoke when, the ledger of each wait, the stages beneath.

import type { Stage, Turn, Wait } from '@framescope/protocol';
import { toX, type TimeScale } from './time-scale.ts';

export interface Box {
  readonly left: number;
  readonly right: number;
}

export interface SpeechBox extends Box {
  readonly turn: Turn;
  readonly number: number;
  readonly who: 'user' | 'agent';
}

export interface PartBox extends Box {
  readonly name: string;
  readonly exposedNs: number;
}

export interface LedgerBox extends Box {
  readonly turn: Turn;
  readonly wait: Wait;
  readonly parts: readonly PartBox[];
}

export interface StageBox extends Box {
  readonly stage: Stage;
  readonly turn: Turn;
  readonly first: number | undefined;
  readonly row: number;
}

const isInView = (box: Box, scale: TimeScale): boolean =>
  box.right >= scale.leftPx && box.left <= scale.leftPx + scale.widthPx;

const boxOf = (scale: TimeScale, startNs: number, endNs: number): Box => ({
  left: toX(scale, startNs),
  right: toX(scale, endNs),
});

const VOICES = ['user', 'agent'] as const;

/** Bars of both voices. An open one ends at `nowNs`. */
export function layoutSpeech(turns: readonly Turn[], scale: TimeScale): SpeechBox[] {
  const boxes: SpeechBox[] = [];
  for (const [i, turn] of turns.entries())
    for (const who of VOICES) {
      const speech = turn[who];
      if (!speech || speech.endNs < scale.fromNs || speech.startNs > scale.toNs) continue;
      boxes.push({ ...boxOf(scale, speech.startNs, speech.endNs), turn, number: i + 1, who });
    }
  return boxes;
}

/** The wait a turn is judged by: its first answer-shaped one. */
export const mainWait = (turn: Turn): Wait | undefined =>
  turn.waits.find(wait => wait.kind === 'response') ?? turn.waits[0];

/** Narrower than this no part of it could be seen: an hour has hundreds of waits, and a dozen parts each. */
const PARTS_PX_MIN = 2;

/** Ledger bars; parts are laid end to end by what they expose, so the bar adds up by construction. */
export function layoutLedgers(
  turns: readonly Turn[],
  scale: TimeScale,
  nowNs: number,
): LedgerBox[] {
  const boxes: LedgerBox[] = [];
  for (const turn of turns)
    for (const wait of turn.waits) {
      const endNs = wait.endNs ?? (wait.outcome === 'open' ? nowNs : wait.startNs + wait.waitNs);
      if (endNs < scale.fromNs || wait.startNs > scale.toNs) continue;
      const box = boxOf(scale, wait.startNs, endNs);
      const parts = box.right - box.left < PARTS_PX_MIN ? [] : partBoxes(wait, scale);
      boxes.push({ ...box, turn, wait, parts });
    }
  return boxes;
}

export function partBoxes(wait: Wait, scale: TimeScale): PartBox[] {
  let atNs = wait.startNs;
  return wait.parts.map(part => {
    const box = boxOf(scale, atNs, atNs + part.exposedNs);
    atNs += part.exposedNs;
    return { ...box, name: part.name, exposedNs: part.exposedNs };
  });
}

/** What was begun ahead of the decision and thrown away has a lane of its own: it is on no path. */
export const SPECULATION = 'discarded';

const rowName = (stage: Stage): string => (stage.discarded ? SPECULATION : stage.name);

/** Stages in as few rows as keep them apart, in order of start. */
export function stageRows(turns: readonly Turn[]): Map<string, number> {
  const rows = new Map<string, number>();
  const names = [...new Set(turns.flatMap(turn => turn.stages.map(rowName)))];
  const ranks = ['endpointing', 'stt', 'llm', SPECULATION, 'tool', 'tts'];
  const rank = (name: string): number =>
    ranks.includes(name) ? ranks.indexOf(name) : ranks.length;
  names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  names.slice(0, STAGE_ROWS_MAX).forEach((name, i) => rows.set(name, i));
  return rows;
}

/** More names than rows: the last row takes the rest. */
export const STAGE_ROWS_MAX = 6;

export function layoutStages(
  turns: readonly Turn[],
  scale: TimeScale,
  rows: ReadonlyMap<string, number>,
  nowNs: number,
): StageBox[] {
  return turns.flatMap(turn =>
    turn.stages.flatMap(stage => {
      const box = boxOf(scale, stage.startNs, stage.endNs ?? nowNs);
      if (!isInView(box, scale)) return [];
      const first = stage.firstNs === null ? undefined : toX(scale, stage.firstNs);
      const row = rows.get(rowName(stage)) ?? STAGE_ROWS_MAX - 1;
      return [{ ...box, stage, turn, first, row }];
    }),
  );
}
