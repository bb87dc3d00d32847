// What every engine behind `Store` has to do, as tests that any of them is run through.
//
// A test gets a store of its own, empty, with a writer and a reader; `again` closes the writer and opens
// another on the same data. What only files can do (volumes, caps, packing) is tested beside the engine.

import type { AssemblyStore, BudgetsGiven, RawWriter, StoreReader } from '../../src/store/store.ts';

/** Limits that a store is opened with. */
export const GIVEN: BudgetsGiven = {
  limits: { voice_to_voice: 800e6, frame: 300e6 },
  inFile: ['frame'],
};

type Awaitable<T> = T | Promise<T>;
/** The same methods, which may answer later. */
type Soon<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Awaitable<Awaited<R>>
    : T[K];
};

export type ContractWriter = Soon<Omit<RawWriter & AssemblyStore, 'sizeBytes' | 'retain'>>;
export type ContractReader = Pick<
  StoreReader,
  | 'sessions'
  | 'session'
  | 'summaries'
  | 'turns'
  | 'turn'
  | 'flushes'
  | 'flushesSince'
  | 'sessionSpans'
  | 'collectorClocks'
  | 'clockSamples'
  | 'measures'
  | 'waits'
  | 'waitSums'
  | 'scanGroup'
  | 'scanSessions'
  | 'scanFacets'
  | 'groupValues'
  | 'annotations'
  | 'trace'
  | 'traceOwner'
  | 'traces'
  | 'search'
  | 'spansAfter'
  | 'spansBefore'
  | 'lastCommit'
  | 'metricPoints'
  | 'metricMeasures'
  | 'pins'
  | 'budgets'
  | 'loads'
>;

export interface OpenStore {
  readonly writer: ContractWriter;
  readonly reader: ContractReader;
  /** Another writer on the same data, after this one is closed. */
  again(): Promise<ContractWriter>;
}

/** Opens an empty store that is gone after the test. */
export type OpenEngine = () => Promise<OpenStore>;

export interface ContractTest {
  readonly name: string;
  readonly run: (open: OpenEngine) => Promise<void>;
}

export const contract = (name: string, run: ContractTest['run']): ContractTest => ({ name, run });
