// What passes between the main thread, the writer thread and the assembly thread.
// Bodies are moved, not copied.

import type { Change } from '../assemble/assembler.ts';
import type { ClockName } from '../assemble/clock/session-clocks.ts';
import type { Signal } from '../decode/by-signal.ts';
import type { MeasureReport } from '../metrics/buckets.ts';
import type { Encoding } from '../decode/decode.ts';
import type { WriterPlace } from '../store/engine.ts';
import type { BudgetsGiven, DerivedChanges, RawChanges } from '../store/store.ts';
import type { News } from './news.ts';

export interface WriterOptions extends WriterPlace {
  /** The running clock, with its zero as measured now: the store may know it already. */
  readonly clock: ClockName;
  /** Limits that apply where the page set none. */
  readonly budgets: BudgetsGiven;
  /** `transcripts`, or names of attributes with `*`: taken out before anything is written. */
  readonly redact?: readonly string[];
}

/** One OTLP body, decompressed. */
export interface Body {
  /** Absent: traces. */
  readonly signal?: Signal;
  /** All that is sent belongs to this session, or is refused: the sender's token says no more. */
  readonly onlySession?: string;
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
}

/** What became of one body. */
export type Answer =
  | {
      readonly kind: 'stored';
      /** Spans that were taken, repeated ones included. */
      readonly acceptedCount: number;
      readonly rejectedCount: number;
      /** First reasons with their paths; empty when nothing was rejected. */
      readonly message: string;
    }
  | { readonly kind: 'malformed'; readonly path: string; readonly problem: string }
  /** Nothing was kept; sending it again later may succeed. */
  | { readonly kind: 'unavailable'; readonly message: string };

/** Counts since the last report; keys of `refused` are reasons. */
export interface WriterCounts {
  readonly commits: number;
  readonly spans: number;
  readonly flushes: number;
  readonly repeated: number;
  readonly malformedBodies: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Log records and data points that were taken and not kept, by kind. */
  readonly ignored: Readonly<Record<string, number>>;
  /** Histogram points stored, repeated ones included. */
  readonly points: number;
  /** Time spent in commits, ns. */
  readonly commitNs: number;
}

/** What people change in a store, by the name of its method. */
export interface ToChange<Name extends string> {
  readonly type: 'change';
  readonly id: number;
  readonly name: Name;
  readonly args: readonly unknown[];
}

/** What a change answered; `done` is undefined when the disk refused it. */
export interface Changed {
  readonly type: 'changed';
  readonly id: number;
  readonly done: { readonly answer: unknown } | undefined;
  /** The limits that apply now, when they are others than before. */
  readonly limits?: Readonly<Record<string, number>>;
}

export type ToWriter =
  | { readonly type: 'body'; readonly id: number; readonly body: Body }
  | ToChange<keyof RawChanges>
  | { readonly type: 'close' };

interface Started {
  readonly type: 'ready';
}

interface Failed {
  readonly type: 'failed';
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

export type FromWriter =
  | Started
  | Failed
  | {
      readonly type: 'answers';
      readonly answers: readonly (readonly [id: number, answer: Answer])[];
    }
  | { readonly type: 'volumes' }
  | { readonly type: 'counts'; readonly counts: WriterCounts }
  | Changed
  | { readonly type: 'closed' };

/** From the main thread. It closes when the writer does. */
export type ToAssembly = ToChange<keyof DerivedChanges>;

export type FromAssembly =
  | Started
  | Failed
  | { readonly type: 'changes'; readonly changes: readonly Change[] }
  | { readonly type: 'measures'; readonly report: MeasureReport }
  /** Other limits apply, by measure: set at another collector. */
  | { readonly type: 'limits'; readonly limits: Readonly<Record<string, number>> }
  | Changed;

/** Between the two threads. */
export type WriterToAssembly =
  | { readonly type: 'news'; readonly news: News }
  /** The last, if there is any; assembly answers when its files are closed. */
  | { readonly type: 'close'; readonly news: News | undefined };

export interface AssemblyToWriter {
  readonly type: 'done' | 'closed';
}
