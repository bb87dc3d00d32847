// From mouth to ear: which line of the picture is at which height.
//
//   user turn bar
//   mic.client/capture      ── station ┐
//   mic.edge/receive        ──         │ legs between stations; a leg where the
//   mic.agent/receive       ──         ┘ place changes (a network) is taller
//   ledger · stages                     between uplink and downlink
//   agent.agent/tts         ──
//   agent.client/playout    ──
//   agent turn bar

import type { SessionDetail } from '@framescope/protocol';

export interface Station {
  readonly key: string;
  readonly stream: string;
  readonly role: string;
  readonly name: string;
  readonly direction: 'up' | 'down';
  readonly errorNs: number;
  readonly budgetNs: number | null;
  readonly p50Ns: number | null;
  readonly p95Ns: number | null;
  readonly sampleRate: number;
  readonly frameTicks: number | null;
  readonly y: number;
}

/** The stretch between two stations of one stream. */
export interface Leg {
  readonly from: number;
  readonly to: number;
  /** What a frame may take here before it is coloured. */
  readonly limitNs: number;
}

export interface Lanes {
  readonly heightPx: number;
  readonly axisPx: number;
  readonly user: Band;
  readonly agent: Band;
  readonly ledger: Band;
  readonly stages: Band & { readonly rowPx: number; readonly rows: number };
  readonly stations: readonly Station[];
  readonly legs: readonly Leg[];
}

export interface Band {
  readonly top: number;
  readonly height: number;
}

const AXIS_PX = 30;
const BAR_PX = 20;
const GAP_PX = 24;
const LEDGER_PX = 54;
const STAGE_ROW_PX = 17;
const LEG_PX_MIN = 22;
const NETWORK_WEIGHT = 1.7;

type BareStation = Omit<Station, 'y'>;

/** Stations in path order, mouth first. */
export function stationsOf(session: Pick<SessionDetail, 'streams'>): BareStation[] {
  const streams = session.streams.toSorted(
    (a, b) => Number(a.direction === 'down') - Number(b.direction === 'down'),
  );
  return streams.flatMap(stream =>
    stream.hops.map(hop => ({
      key: hop.key,
      stream: stream.name,
      role: hop.role,
      name: hop.name,
      direction: stream.direction,
      errorNs: hop.errorNs,
      budgetNs: hop.budgetNs,
      p50Ns: hop.latency.p50Ns,
      p95Ns: hop.latency.p95Ns,
      sampleRate: stream.sampleRate,
      frameTicks: hop.frameTicks,
    })),
  );
}

/** Twice what the leg usually takes and at least 25 ms more: late against its own habit. */
function limitOf(a: BareStation, b: BareStation): number {
  // Out of a synthesiser audio comes ahead of its time and waits on purpose: nothing is late here.
  if (a.name === 'tts' && a.direction === 'down') return Infinity;
  const usual = Math.max(0, (b.p50Ns ?? 0) - (a.p50Ns ?? 0));
  return Math.max(usual * 2, usual + 25e6);
}

/** Lays lanes into at least `heightPx`; more when the legs would get too flat. */
/** Seen from far every hop gets the same height and stages none: `isFar`. */
export function layoutLanes(
  session: Pick<SessionDetail, 'streams'>,
  heightPx: number,
  { stageRows, isFar }: { readonly stageRows: number; readonly isFar: boolean },
): Lanes {
  const bare = stationsOf(session);
  const weights = bare.map((one, i): number => {
    const before = bare[i - 1];
    if (!before || before.stream !== one.stream) return 0;
    return isFar || before.role === one.role ? 1 : NETWORK_WEIGHT;
  });
  const rows = isFar ? 0 : Math.max(1, stageRows);
  const streams = new Set(bare.map(one => one.stream)).size;
  const middlePx = LEDGER_PX + rows * STAGE_ROW_PX + 3 * GAP_PX;
  const edgePx = isFar ? LEG_PX_MIN : GAP_PX;
  const fixedPx =
    AXIS_PX +
    2 * (BAR_PX + edgePx) +
    (isFar ? LEG_PX_MIN : 0) +
    middlePx +
    Math.max(0, streams - 2) * GAP_PX +
    8;
  const weight = weights.reduce((sum, one) => sum + one, 0) || 1;
  const legPx = Math.max(LEG_PX_MIN, (heightPx - fixedPx) / weight);
  let y = AXIS_PX + BAR_PX + edgePx;
  let ledger = { top: y, height: LEDGER_PX };
  const stations: Station[] = [];
  const legs: Leg[] = [];
  let isMiddlePlaced = false;
  const placeMiddle = (): void => {
    ledger = { top: y + edgePx, height: LEDGER_PX };
    y += middlePx + (isFar ? LEG_PX_MIN / 2 : 0);
    isMiddlePlaced = true;
  };
  bare.forEach((one, i) => {
    const before = bare[i - 1];
    if (one.direction === 'down' && !isMiddlePlaced) placeMiddle();
    else if (before && before.stream !== one.stream) y += GAP_PX;
    else if (before) {
      y += legPx * weights[i]!;
      legs.push({ from: i - 1, to: i, limitNs: limitOf(before, one) });
    }
    stations.push({ ...one, y });
  });
  if (!isMiddlePlaced) placeMiddle();
  const stageTop = ledger.top + LEDGER_PX + GAP_PX / 2;
  const agentTop = y + edgePx;
  return {
    heightPx: Math.max(heightPx, agentTop + BAR_PX + 8),
    axisPx: AXIS_PX,
    user: { top: AXIS_PX + 4, height: BAR_PX },
    agent: { top: agentTop, height: BAR_PX },
    ledger,
    stages: { top: stageTop, height: rows * STAGE_ROW_PX, rowPx: STAGE_ROW_PX, rows },
    stations,
    legs,
  };
}

/** True for a stream that is made ahead of its time: there an age says how long audio waited on purpose. */
export function isAhead(stations: readonly Station[], of: Station): boolean {
  return stations.some(
    one => one.stream === of.stream && one.name === 'tts' && one.direction === 'down',
  );
}
