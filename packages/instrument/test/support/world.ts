// A process in a world of its own: time that passes when told to, timers on it,
// and a collector that answers what the test says and keeps what it was sent.

import {
  ATTR,
  decodeRecord,
  domainNs,
  fromBase64,
  unixNs,
  type DomainNs,
  type FrameRecord,
  type StateMessage,
} from '@framescope/protocol';
import {
  ClockColumn,
  Framescope,
  type Clock,
  type FramescopeOptions,
  type HttpRequest,
  type HttpResponse,
  type Problem,
  type Timers,
} from '@framescope/instrument';

import { wholeTurns } from './whole-turns.ts';

export const MS = 1_000_000;

interface Waiting {
  readonly atNs: number;
  readonly task: () => void;
}

/** What came in one `audio.frames` span. */
export interface Received {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly record: FrameRecord | undefined;
  readonly state: StateMessage | undefined;
}

export type Answer = Partial<HttpResponse> | 'no answer' | 'never';

const EMPTY = new Uint8Array();

export class World {
  nowNs = 0;
  /** Answers to posts, in turn; when used up, 200. */
  readonly answers: Answer[] = [];
  readonly posts: HttpRequest[] = [];
  readonly received: Received[] = [];
  readonly problems: Problem[] = [];
  readonly acknowledged: string[] = [];
  /** Bodies of posts to /v1/triggers. */
  readonly triggers: unknown[] = [];
  clockAnswer: () => Answer = () => 'no answer';
  #waiting: Waiting[] = [];

  readonly timers: Timers = {
    after: (delayMs, task) => {
      const entry = { atNs: this.nowNs + delayMs * MS, task };
      this.#waiting.push(entry);
      return { cancel: () => (this.#waiting = this.#waiting.filter(one => one !== entry)) };
    },
  };

  /** A clock of this world, `offsetNs` ahead. */
  clock(domain = '00000000000000c1', offsetNs = 0): Clock {
    const now = (): DomainNs => domainNs(this.nowNs + offsetNs);
    return {
      domain,
      epoch: 0,
      zeroUnixNs: unixNs(1_700_000_000_000_000_000n),
      now,
      makeColumn: capacity => new ClockColumn(capacity, now),
    };
  }

  scope(options: Partial<FramescopeOptions> = {}): Framescope {
    return new Framescope(this.options(options));
  }

  /** Everything of this world. */
  options(options: Partial<FramescopeOptions> = {}): FramescopeOptions {
    let seed = 0;
    return {
      serviceName: 'test',
      endpoint: 'http://collector.test',
      encoding: 'json',
      tracerProvider: false,
      clock: this.clock(),
      timers: this.timers,
      http: request => this.answer(request),
      random: () => (seed = (seed * 48_271 + 11) % 65_537) / 65_537,
      onProblem: problem => this.problems.push(problem),
      onAcknowledged: ids => this.acknowledged.push(...ids),
      ...options,
    };
  }

  /** Lets time pass; timers run at their time, and promises settle after each. */
  async pass(ms: number): Promise<void> {
    const untilNs = this.nowNs + ms * MS;
    await settle();
    for (;;) {
      const due = this.#waiting.filter(one => one.atNs <= untilNs);
      if (due.length === 0) break;
      const next = due.reduce((a, b) => (b.atNs < a.atNs ? b : a));
      this.#waiting = this.#waiting.filter(one => one !== next);
      this.nowNs = Math.max(this.nowNs, next.atNs);
      next.task();
      await settle();
    }
    this.nowNs = untilNs;
  }

  /** Records received, in order. */
  records(): FrameRecord[] {
    return this.received.flatMap(({ record }) => (record === undefined ? [] : [record]));
  }

  /** State messages received, their turns made whole. */
  states(): StateMessage[] {
    return wholeTurns(this.toldStates());
  }

  /** State messages as they were sent. */
  toldStates(): StateMessage[] {
    return this.received.flatMap(({ state }) => (state === undefined ? [] : [state]));
  }

  codes(): string[] {
    return this.problems.map(problem => problem.code);
  }

  /** What the network answers. */
  answer(request: HttpRequest): Promise<HttpResponse> {
    const isClock = request.method === 'GET';
    if (request.url.endsWith('/v1/triggers')) return this.#takeTrigger(request);
    if (!isClock) this.posts.push(request);
    const answer = isClock ? this.clockAnswer() : (this.answers.shift() ?? {});
    if (answer === 'never') return new Promise(() => undefined);
    if (answer === 'no answer') return Promise.reject(new Error('connection refused'));
    const { status = 200, body = EMPTY } = answer;
    if (!isClock && status === 200) this.received.push(...readBody(request.body ?? EMPTY));
    return Promise.resolve({ ...answer, status, body });
  }

  #takeTrigger(request: HttpRequest): Promise<HttpResponse> {
    this.triggers.push(JSON.parse(Buffer.from(request.body ?? EMPTY).toString()));
    return Promise.resolve({ status: 202, body: EMPTY });
  }
}

/** Every settled promise runs: longer chains than any in the package. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: readonly { key: string; value: Record<string, string | number | boolean> }[];
}

interface JsonBody {
  readonly resourceSpans: readonly { scopeSpans: readonly { spans: readonly JsonSpan[] }[] }[];
}

function readBody(body: Uint8Array): Received[] {
  const json = JSON.parse(Buffer.from(body).toString()) as JsonBody;
  return json.resourceSpans
    .flatMap(resource => resource.scopeSpans)
    .flatMap(scope => scope.spans)
    .map(readSpan);
}

function readSpan({ traceId, spanId, attributes: list }: JsonSpan): Received {
  const attributes = Object.fromEntries(
    list.map(({ key, value }) => [key, Object.values(value)[0]!]),
  );
  const base64 = attributes[ATTR.record];
  const state = attributes[ATTR.state];
  return {
    traceId,
    spanId,
    attributes,
    record: typeof base64 === 'string' ? readRecord(base64) : undefined,
    state: typeof state === 'string' ? (JSON.parse(state) as StateMessage) : undefined,
  };
}

function readRecord(base64: string): FrameRecord {
  const bytes = fromBase64(base64);
  const record = bytes.ok ? decodeRecord(bytes.value) : bytes;
  if (!record.ok) throw new Error(`${record.path}: ${record.problem}`);
  return record.value;
}
