// One call, simulated: its truth first, then the real instrumentation of four
// processes run on it in virtual time. What comes out is what left the processes:
// OTLP bodies, byte for byte, in the order in which they left.

import { Framescope, type Session } from '@framescope/instrument';
import { domainNs, NS_PER_MS } from '@framescope/protocol';
import { driveAgent } from './agent-driver.ts';
import { type ApiClient } from './api-client.ts';
import { callTruth } from './call-truth.ts';
import { driveFrames, joinStreams, type Party, type Shift } from './frame-driver.ts';
import { HOSTS, type HostName, type PartyName, type Scenario } from './scenario.ts';
import { type CallTruth } from './truth.ts';
import { SpanRecorder } from './span-recorder.ts';
import { type CollectorTime, hostPorts, type SentBody, type World } from './virtual-host.ts';
import { VirtualTime } from './virtual-time.ts';

export interface SimulateOptions {
  /** The clock that probes meet; `collectorTimeOf` asks a running collector. */
  readonly collector: CollectorTime;
  /** Processes from which nothing leaves, from the given true ms on. */
  readonly silenced?: Partial<Record<PartyName, number>>;
  /** How records are packed; default protobuf. */
  readonly encoding?: 'protobuf' | 'json';
  /** Mistakes made on purpose. */
  readonly shift?: Shift;
  readonly shiftAct?: { readonly act: string; readonly byMs: number };
  /** Gets the truth before anything runs. */
  readonly onTruth?: (truth: CallTruth) => void;
}

export interface Simulated {
  readonly truth: CallTruth;
  readonly bodies: readonly SentBody[];
  /** What the instrumentation complained of, by process: empty when all is well. */
  readonly problems: readonly string[];
}

/** After the call's end a process tries for 5 s to send what is left, and 5 s more when it shuts down. */
const FAREWELL_MS_MAX = 30_000;
const FAREWELL_STEP_MS = 10;

export async function simulate(scenario: Scenario, options: SimulateOptions): Promise<Simulated> {
  if (!Number.isSafeInteger(options.collector.atZeroNs))
    throw new Error(
      `${scenario.id}: so far from now (startUnixMs ${scenario.startUnixMs}) that no clock sample fits a double`,
    );
  const truth = callTruth(scenario);
  options.onTruth?.(truth);
  const time = new VirtualTime();
  const bodies: SentBody[] = [];
  const problems: string[] = [];
  const world: World = {
    time,
    seed: scenario.seed,
    startUnixMs: scenario.startUnixMs,
    collector: options.collector,
    send: body => {
      const diedMs = body.host === 'edge' ? scenario.relay?.diesAtMs : undefined;
      const fromMs = options.silenced?.[body.host] ?? diedMs;
      if (fromMs !== undefined && body.atNs >= fromMs * NS_PER_MS) return false;
      bodies.push(body);
      return true;
    },
  };
  const scopes = new Map<PartyName, Framescope>();
  const parties = new Map<PartyName, Party>();
  for (const host of hostsOf(scenario)) {
    const scope = scopeOf(scenario, host, {
      world,
      problems,
      encoding: options.encoding ?? 'protobuf',
    });
    scopes.set(host, scope);
    const call = scope.startSession({
      id: scenario.id,
      authority: host === 'agent',
      ...(host === 'agent' || host === 'client' ? { attributes: scenario.attributes } : {}),
    });
    parties.set(host, joinStreams(call));
    tellSetup(time, scenario, { host, scope, call });
  }
  driveFrames(time, truth, parties, { shift: options.shift, sttRate: scenario.sttRate });
  driveAgent(time, truth, parties.get('agent')!, {
    vadErrorMs: scenario.vadErrorMs,
    ...(scenario.vendor === undefined ? {} : { vendor: scenario.vendor }),
    ...(options.shiftAct === undefined ? {} : { shift: options.shiftAct }),
  });
  await time.advanceTo(truth.endNs);
  await farewell(time, scopes, parties);
  return { truth, bodies, problems };
}

interface Teller {
  readonly host: PartyName;
  readonly scope: Framescope;
  readonly call: Session;
}

/** What came before the microphone ran is told with the time that it had, as soon as there is a session. */
function tellSetup(
  time: VirtualTime,
  { setup = [] }: Scenario,
  { host, scope, call }: Teller,
): void {
  for (const { host: whose, name, atMs } of setup) {
    if (whose !== host) continue;
    if (atMs < 0) call.setup(name, { at: domainNs(scope.now() + atMs * NS_PER_MS) });
    else time.at(atMs * NS_PER_MS, () => call.setup(name));
  }
}

const hostsOf = (scenario: Scenario): readonly PartyName[] => [
  ...HOSTS.filter(host => scenario.isLean !== true || host !== 'models'),
  ...(scenario.relay === undefined ? [] : (['edge2'] as const)),
];

/** The relay that takes over is another one of its kind, on a clock of its own. */
const hostOfParty = (party: PartyName): HostName => (party === 'edge2' ? 'edge' : party);

interface ScopeFacts {
  readonly world: World;
  readonly problems: string[];
  readonly encoding: 'protobuf' | 'json';
}

function scopeOf(
  scenario: Scenario,
  host: PartyName,
  { world, problems, encoding }: ScopeFacts,
): Framescope {
  const role = hostOfParty(host);
  const spec = scenario.hosts[role];
  const serviceName = `voice-${role}`;
  const resource = {
    'service.instance.id': host === 'edge2' ? 'edge-2' : `${host}-1`,
    'host.name': `${host}.test`,
    ...spec.resource,
  };
  const spans = new SpanRecorder(world, host, { 'service.name': serviceName, ...resource });
  return new Framescope({
    serviceName,
    role,
    flushMs: scenario.flushMs,
    encoding,
    load: false,
    endpoint: 'http://collector.test:4318',
    resource,
    tracerProvider: spans.provider,
    onProblem: problem => {
      // A relay that died finds nobody to tell: that is what is simulated.
      const isDead = host === 'edge' && scenario.relay !== undefined;
      if (!isDead) problems.push(`${host}: ${problem.code}: ${problem.message}`);
    },
    ...hostPorts(world, host, spec),
  });
}

async function farewell(
  time: VirtualTime,
  scopes: ReadonlyMap<PartyName, Framescope>,
  parties: ReadonlyMap<PartyName, Party>,
): Promise<void> {
  await passUntil(time, Promise.all([...parties.values()].map(party => party.call.end())));
  await passUntil(time, Promise.all([...scopes.values()].map(scope => scope.shutdown())));
}

/** Lets time pass in small steps until `work` is done: what hangs on a time-out needs that time. */
async function passUntil(time: VirtualTime, work: Promise<unknown>): Promise<void> {
  const state = { isDone: false };
  const done = work.then(() => {
    state.isDone = true;
  });
  const limitNs = time.nowNs + FAREWELL_MS_MAX * NS_PER_MS;
  while (!state.isDone && time.nowNs < limitNs) {
    time.wakes();
    await time.advanceTo(time.nowNs + FAREWELL_STEP_MS * NS_PER_MS);
  }
  if (!state.isDone) throw new Error(`a process did not end within ${FAREWELL_MS_MAX} ms`);
  await done;
}

/** The clock of a running collector, read at the true time 0 of a call that started at `startUnixMs`. */
export async function collectorTimeOf(api: ApiClient, startUnixMs: number): Promise<CollectorTime> {
  const { domain, epoch, t2 } = await api.clock();
  return { domain, epoch, atZeroNs: t2 - Math.round((Date.now() - startUnixMs) * NS_PER_MS) };
}

/** Hands a call to a collector, in order, as it left the processes. */
export async function deliver(api: ApiClient, bodies: readonly SentBody[]): Promise<void> {
  for (const body of bodies) await api.post(body);
}

/**
 * What was traced, in one post a call: protobuf messages one after the other are one message with all
 * their fields, as a collector in between would batch them. Forty posts a call take four times as long.
 */
export function deliverAtOnce(api: ApiClient, bodies: readonly SentBody[]): Promise<void> {
  const traces = bodies.filter(body => body.path === '/v1/traces');
  const { path, headers } = traces[0]!;
  return api.post({ path, headers, body: Buffer.concat(traces.map(one => one.body)) });
}
