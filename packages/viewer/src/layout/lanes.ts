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
  /** Its bar is at the top of the band; figures beneath. */
  readonly ledger: Band & { readonly barPx: number };
  readonly stages: Band & { readonly rowPx: number; readonly rows: number };
  readonly stations: readonly Station[];
  readonly legs: readonly Leg[];
}

export interface Band {
  readonly top: number;
  readonly height: number;
}

/** Heights of everything that is no leg: with room to breathe, and packed for a long path on a small screen. */
interface Sizes {
  readonly axisPx: number;
  readonly barPx: number;
  readonly edgePx: number;
  readonly gapPx: number;
  readonly ledgerPx: number;
  readonly ledgerBarPx: number;
  readonly stageRowPx: number;
  readonly legPxMin: number;
}

const ROOMY: Sizes = {
  axisPx: 30,
  barPx: 20,
  edgePx: 24,
  gapPx: 24,
  ledgerPx: 56,
  ledgerBarPx: 22,
  stageRowPx: 17,
  legPxMin: 22,
};
/** A leg no flatter than a line of small text: its two stations keep their names. */
const PACKED: Sizes = {
  axisPx: 26,
  barPx: 16,
  edgePx: 12,
  gapPx: 9,
  ledgerPx: 35,
  ledgerBarPx: 16,
  stageRowPx: 12,
  legPxMin: 14,
};
const STEPS = [0, 0.25, 0.5, 0.75, 1];
const NETWORK_WEIGHT = 1.7;

function sizesAt(share: number): Sizes {
  const mixed = Object.entries(ROOMY).map(([name, px]) => [
    name,
    Math.round(px + (PACKED[name as keyof Sizes] - px) * share),
  ]);
  return Object.fromEntries(mixed) as unknown as Sizes;
}

type BareStation = Omit<Station, 'y'>;

/** All of it was read off one clock: how wrong that is of the world's time says nothing of its frames. */
export const hasOneClock = ({ processes }: Pick<SessionDetail, 'processes'>): boolean =>
  new Set(processes.map(({ clock }) => `${clock.domain}/${clock.epoch}`)).size === 1;

/** Stations in path order, mouth first. */
export function stationsOf(session: Pick<SessionDetail, 'streams' | 'processes'>): BareStation[] {
  const isOne = hasOneClock(session);
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
      errorNs: isOne ? 0 : hop.errorNs,
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

interface Content {
  readonly bare: readonly BareStation[];
  readonly weights: readonly number[];
  readonly rows: number;
  readonly isFar: boolean;
}

/** Room for the ledger and the stages, with air above, between and below. */
const middlePxOf = (sizes: Sizes, rows: number): number =>
  sizes.ledgerPx + rows * sizes.stageRowPx + 3 * sizes.gapPx;

/** Everything but the legs. */
function fixedPxOf(sizes: Sizes, { bare, rows, isFar }: Content): number {
  const streams = new Set(bare.map(one => one.stream)).size;
  const ends = 2 * (sizes.barPx + edgePxOf(sizes, isFar)) + (isFar ? sizes.legPxMin : 0);
  const between = Math.max(0, streams - 2) * sizes.gapPx;
  return sizes.axisPx + ends + middlePxOf(sizes, rows) + between + 8;
}

/** From far a lane is as tall as its density: the first needs as much room above its line. */
const edgePxOf = (sizes: Sizes, isFar: boolean): number => (isFar ? sizes.legPxMin : sizes.edgePx);

/** The roomiest sizes with which everything fits, and the height left for a leg of weight 1. */
function fitSizes(content: Content, heightPx: number): { sizes: Sizes; legPx: number } {
  const weight = content.weights.reduce((sum, one) => sum + one, 0) || 1;
  const legPxOf = (sizes: Sizes): number => (heightPx - fixedPxOf(sizes, content)) / weight;
  const all = STEPS.map(sizesAt);
  const sizes = all.find(one => legPxOf(one) >= one.legPxMin) ?? all.at(-1)!;
  return { sizes, legPx: Math.max(sizes.legPxMin, legPxOf(sizes)) };
}

/**
 * Lays lanes into at least `heightPx`; more when even packed the legs would get too flat.
 * Seen from far every hop gets the same height and stages none: `isFar`.
 */
export function layoutLanes(
  session: Pick<SessionDetail, 'streams' | 'processes'>,
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
  const { sizes, legPx } = fitSizes({ bare, weights, rows, isFar }, heightPx);
  const edgePx = edgePxOf(sizes, isFar);
  let y = sizes.axisPx + sizes.barPx + edgePx;
  let ledgerTop = y;
  const stations: Station[] = [];
  const legs: Leg[] = [];
  let isMiddlePlaced = false;
  const placeMiddle = (): void => {
    ledgerTop = y + edgePx;
    y += middlePxOf(sizes, rows) + (isFar ? sizes.legPxMin / 2 : 0);
    isMiddlePlaced = true;
  };
  bare.forEach((one, i) => {
    const before = bare[i - 1];
    if (one.direction === 'down' && !isMiddlePlaced) placeMiddle();
    else if (before && before.stream !== one.stream) y += sizes.gapPx;
    else if (before) {
      y += legPx * weights[i]!;
      legs.push({ from: i - 1, to: i, limitNs: limitOf(before, one) });
    }
    stations.push({ ...one, y });
  });
  if (!isMiddlePlaced) placeMiddle();
  const stageTop = ledgerTop + sizes.ledgerPx + sizes.gapPx / 2;
  const agentTop = y + edgePx;
  return {
    heightPx: Math.max(heightPx, Math.floor(agentTop + sizes.barPx + 8)),
    axisPx: sizes.axisPx,
    user: { top: sizes.axisPx + 4, height: sizes.barPx },
    agent: { top: agentTop, height: sizes.barPx },
    ledger: { top: ledgerTop, height: sizes.ledgerPx, barPx: sizes.ledgerBarPx },
    stages: { top: stageTop, height: rows * sizes.stageRowPx, rowPx: sizes.stageRowPx, rows },
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
