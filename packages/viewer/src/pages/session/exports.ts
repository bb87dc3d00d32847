// A session to take away: the picture, its turns as a table, and the files that
// the collector writes (OTLP, Perfetto, one HTML page).

import type { SessionModel } from '../../state/session-model.ts';
import { exportMenu, pictureItems } from '../../ui/export-menu.ts';
import { csvOf, save, type Layers } from '../../ui/save.ts';

export function sessionExports(model: SessionModel, layers: () => Layers): HTMLElement {
  const name = model.detail?.id ?? model.key;
  const file = (format: string): string =>
    `/api/v1/export/${encodeURIComponent(model.key)}?format=${format}`;
  return exportMenu([
    ...pictureItems(name, layers),
    {
      text: 'Turns and their parts (CSV)',
      take: () => save(`${name}.csv`, [turnsCsv(model)], 'text/csv'),
    },
    {
      text: 'Call and turns (JSON)',
      take: () => save(`${name}.json`, [sessionJson(model)], 'application/json'),
    },
    { text: 'OpenTelemetry (OTLP JSON)', take: file('otlp') },
    { text: 'Perfetto trace', take: file('perfetto') },
    { text: 'One HTML page', take: file('html') },
  ]);
}

/** As the API told them, with the limits of now. */
const sessionJson = ({ detail, turns }: SessionModel): string =>
  JSON.stringify({ session: detail, turns });

/** A row a part; a wait without parts is a row of its own. Times in ns from the session's zero. */
export function turnsCsv(model: Pick<SessionModel, 'turns' | 'limitOfWait'>): string {
  const head =
    'turn,tick,wait,outcome,wait_start_ns,wait_ns,error_ns,budget_ns,part,owner,exposed_ns,full_ns';
  type Row = readonly (string | number | null)[];
  const rows = model.turns.flatMap((turn, i) =>
    turn.waits.flatMap((wait): readonly Row[] => {
      const { kind, outcome, startNs, waitNs, errorNs } = wait;
      const limitNs = model.limitOfWait(wait);
      const own: Row = [i + 1, turn.tick, kind, outcome, startNs, waitNs, errorNs, limitNs];
      if (wait.parts.length === 0) return [[...own, null, null, null, null]];
      return wait.parts.map(part => [...own, part.name, part.owner, part.exposedNs, part.fullNs]);
    }),
  );
  return csvOf(head.split(','), rows);
}
