// A trace to take away: its waterfall as a picture, its spans as a table, all of it as JSON.

import { nameAt, spanIdAt, type TraceColumns } from '../../data/trace-columns.ts';
import type { Tree } from '../../layout/waterfall.ts';
import { cut } from '../../ui/dom.ts';
import { exportMenu } from '../../ui/export-menu.ts';
import { duration } from '../../ui/format.ts';
import { csvOf, rastered, save } from '../../ui/save.ts';

/** A picture of more rows is no picture any more; the table has them all. */
const ROWS_MAX = 400;
const ROW_PX = 18;
const WIDTH_PX = 1400;
const NAME_PX = 420;

export function traceExports(trace: TraceColumns, tree: Tree): HTMLElement {
  const name = `trace ${trace.traceId}`;
  return exportMenu([
    {
      text: 'Waterfall (PNG)',
      take: async () => {
        const { svg, heightPx } = waterfallSvg(trace, tree);
        save(`${name}.png`, [await rastered(svg, WIDTH_PX * 2, heightPx * 2)], 'image/png');
      },
    },
    {
      text: 'Waterfall (SVG)',
      take: () => save(`${name}.svg`, [waterfallSvg(trace, tree).svg], 'image/svg+xml'),
    },
    { text: 'Spans (CSV)', take: () => save(`${name}.csv`, [spansCsv(trace, tree)], 'text/csv') },
    { text: 'Whole trace (JSON)', take: `/api/v1/traces/${encodeURIComponent(trace.traceId)}` },
  ]);
}

/** Depth first, as on the page; ns from the trace's start. */
export function spansCsv(trace: TraceColumns, tree: Tree): string {
  const rows = Array.from(tree.order, (row, i) => {
    const parent = trace.parent[row]!;
    return [
      spanIdAt(trace, row),
      parent < 0 ? null : spanIdAt(trace, parent),
      tree.depth[i]!,
      nameAt(trace, row),
      trace.services[trace.service[row]!] ?? '',
      trace.startNs[row]!,
      trace.lengthNs[row]!,
      trace.status[row]!,
    ];
  });
  const head = 'span_id,parent_span_id,depth,name,service,start_ns,length_ns,status';
  return csvOf(head.split(','), rows);
}

/** The first rows as they stand unfolded, on white, readable without the page. */
export function waterfallSvg(
  trace: TraceColumns,
  tree: Tree,
): { readonly svg: string; readonly heightPx: number } {
  const rows = tree.order.slice(0, ROWS_MAX);
  const heightPx = rows.length * ROW_PX + 40;
  const xOf = (ns: number): number =>
    NAME_PX + (ns / Math.max(1, trace.durationNs)) * (WIDTH_PX - NAME_PX - 110);
  const lines = Array.from(rows, (row, i) => {
    const y = 34 + i * ROW_PX;
    const [start, length] = [trace.startNs[row]!, trace.lengthNs[row]!];
    const x = xOf(start);
    const width = Math.max(1.5, xOf(start + length) - x);
    const fill = trace.status[row] === 2 ? '#c2273d' : '#5b8fd0';
    return (
      `<text x="${8 + Math.min(20, tree.depth[i]!) * 10}" y="${y + 4}">${escaped(cut(nameAt(trace, row), 48))}</text>` +
      `<rect x="${x.toFixed(1)}" y="${y - 6}" width="${width.toFixed(1)}" height="12" rx="2" fill="${fill}"/>` +
      `<text x="${(x + width + 6).toFixed(1)}" y="${y + 4}" fill="#667085">${duration(length)}</text>`
    );
  });
  const more = tree.order.length - rows.length;
  const title = `${escaped(trace.traceId)}, ${duration(trace.durationNs)}${more > 0 ? `, the first ${rows.length} of ${tree.order.length} spans` : ''}`;
  return {
    heightPx,
    svg:
      `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH_PX}" height="${heightPx}" viewBox="0 0 ${WIDTH_PX} ${heightPx}" font-family="system-ui, sans-serif" font-size="12" fill="#1b2230">` +
      `<rect width="${WIDTH_PX}" height="${heightPx}" fill="#ffffff"/><text x="8" y="18" font-weight="600">${title}</text>${lines.join('')}</svg>`,
  };
}

/** Names out of telemetry are text here too. */
const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, one => `&#${one.codePointAt(0)};`);
