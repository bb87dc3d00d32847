// Places to take away: each of its tables, its charts as one picture, all of it as JSON.

import type { Advice, Load, PlaceName, Places, Findings } from '@framescope/protocol';
import { exportMenu, picturesItems, type ExportItem } from '../../ui/export-menu.ts';
import { csvOf, save, type Named } from '../../ui/save.ts';

export interface PlacesShown {
  readonly places: Places;
  readonly load: Load;
  readonly findings: Findings;
  /** Comes behind the rest; null until then. */
  readonly advice: Advice | null;
}

export function placesExports(shown: () => PlacesShown, body: () => HTMLElement): HTMLElement {
  const charts = (): Named[] =>
    [...body().querySelectorAll<SVGSVGElement>('.chart > svg')].map(svg => ({
      name: svg.getAttribute('aria-label') ?? '',
      of: svg,
    }));
  const table = (text: string, name: string, csv: (of: PlacesShown) => string): ExportItem => ({
    text: `${text} (CSV)`,
    take: () => save(`places ${name}.csv`, [csv(shown())], 'text/csv'),
  });
  return exportMenu([
    ...picturesItems('Charts', 'places', charts),
    table('Ways between places', 'ways', ({ places }) => waysCsv(places)),
    table('Load of instances', 'load', ({ load }) => loadCsv(load)),
    table('Hand-overs', 'hand-overs', ({ places }) => handoversCsv(places)),
    {
      text: 'Everything shown (JSON)',
      take: () => save('places.json', [JSON.stringify(shown())], 'application/json'),
    },
  ]);
}

type Cell = string | number | null;

/** A row a way, slowest first; ns. */
export const waysCsv = ({ legs }: Pick<Places, 'legs'>): string =>
  csvOf(
    'from_service,from_region,to_service,to_region,stream,p50_ns,p95_ns,p99_ns,clock_error_ns,round_trip_ns,jitter_ns,lost,frames,calls'.split(
      ',',
    ),
    legs.map(one => [
      one.fromService,
      one.fromRegion,
      one.toService,
      one.toRegion,
      one.stream,
      one.oneWay.p50Ns,
      one.oneWay.p95Ns,
      one.oneWay.p99Ns,
      one.errorNs,
      one.rttNs,
      one.jitterNs,
      one.lost,
      one.oneWay.n,
      one.sessions,
    ]),
  );

const PLACE = ['service', 'instance', 'host', 'zone', 'region'] as const;
const placeCells = (place: PlaceName): Cell[] => PLACE.map(key => place[key]);

/** A row an instance and column of time that has samples. */
export function loadCsv({ instances, fromUnixNs, columnNs }: Omit<Load, 'curves'>): string {
  const rows = instances.flatMap(one =>
    one.column.map((column, i): Cell[] => [
      ...placeCells(one.place),
      String(BigInt(fromUnixNs) + BigInt(Math.round(column * columnNs))),
      one.calls[i] ?? null,
      one.lagNs[i] ?? null,
      one.cpu[i] ?? null,
      one.rssBytes[i] ?? null,
      one.waiting[i] ?? null,
    ]),
  );
  const head = ['column_start_unix_ns', 'calls', 'lag_ns', 'cpu', 'rss_bytes', 'queue_deepest'];
  return csvOf([...PLACE, ...head], rows);
}

/** A row a hand-over. */
export const handoversCsv = ({ handovers }: Pick<Places, 'handovers'>): string =>
  csvOf(
    [
      'session_key',
      'session_id',
      'at_unix_ns',
      ...PLACE.map(key => `from_${key}`),
      ...PLACE.map(key => `to_${key}`),
      'said_goodbye',
      'frames_lost',
      'sound_lost_ns',
      'agent_without_user_ns',
    ],
    handovers.map(one => [
      one.sessionKey,
      one.sessionId,
      one.atUnixNs,
      ...placeCells(one.from),
      ...placeCells(one.to),
      one.wasTold ? 1 : 0,
      one.gapFrames,
      one.gapNs,
      one.authorityNs,
    ]),
  );
