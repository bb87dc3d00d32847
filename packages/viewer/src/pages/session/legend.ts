// What the colours mean, beside shapes that say the same.

import type { SessionDetail } from '@framescope/protocol';
import { palette, type Palette } from '../../draw/palette.ts';
import { h, s } from '../../ui/dom.ts';

export type LineageSign =
  | 'another rate, or a splice'
  | 'made up'
  | 'thrown away'
  | 'silence, not sent';

const GAP_SIGNS = {
  conceal: 'made up',
  drop: 'thrown away',
  silence: 'silence, not sent',
} as const;

export function signsOf({ streams }: Pick<SessionDetail, 'streams'>): Set<LineageSign> {
  const found = new Set<LineageSign>();
  for (const { lineage } of streams) {
    if (lineage && lineage.segments.length > 0) found.add('another rate, or a splice');
    for (const gap of lineage?.gaps ?? []) found.add(GAP_SIGNS[gap.kind]);
  }
  return found;
}

/** `lineage`: what of it the call has. */
export function legend(isTrain: boolean, lineage: ReadonlySet<LineageSign>): HTMLElement {
  const { levels, heat, strong, fan, fanEdge, userTint, agentTint } = palette();
  const line = (color: string, text: string): HTMLElement =>
    h(
      'span',
      {},
      s(
        'svg',
        { viewBox: '0 0 18 10', 'aria-hidden': 'true' },
        s('path', { d: 'M3,1L15,9', stroke: color, 'stroke-width': 2 }),
      ),
      text,
    );
  const box = (color: string, text: string, height = 8): HTMLElement =>
    h(
      'span',
      {},
      s(
        'svg',
        { viewBox: '0 0 18 10', 'aria-hidden': 'true' },
        s('rect', { x: 3, y: 10 - height, width: 12, height, fill: color }),
      ),
      text,
    );
  const cross = h(
    'span',
    {},
    s(
      'svg',
      { viewBox: '0 0 18 10', 'aria-hidden': 'true' },
      s('path', { d: 'M6,2l6,6m0,-6l-6,6', stroke: strong, 'stroke-width': 1.6 }),
    ),
    'lost',
  );
  const signs = signsShown(lineage, palette());
  if (isTrain)
    return h(
      'div',
      { class: 'legend' },
      signs,
      line(levels[1]!, 'in time'),
      line(levels[2]!, 'near the leg’s limit'),
      line(levels[3]!, '1–1.5× the limit'),
      line(levels[4]!, '1.5–3×'),
      line(levels[5]!, 'over 3×'),
      cross,
      line(fanEdge, 'sent ahead of time'),
      box(userTint, 'user’s speech'),
      box(agentTint, 'agent’s speech'),
    );
  return h(
    'div',
    { class: 'legend' },
    box(heat[0]!, 'none over budget'),
    box(heat[1]!, 'under 2 %'),
    box(heat[2]!, '2–10 %'),
    box(heat[3]!, '10–40 %'),
    box(heat[4]!, 'over 40 %'),
    h('span', {}, 'height: the worst frame; dotted: budget'),
    box(fan, 'waiting ahead of its time'),
    box(strong, 'lost', 5),
    signs,
  );
}

function signsShown(
  lineage: ReadonlySet<LineageSign>,
  { accent, levels, strong, quiet }: Palette,
): HTMLElement[] {
  const sign = (of: LineageSign, shape: SVGElement): HTMLElement | undefined =>
    lineage.has(of)
      ? h('span', {}, s('svg', { viewBox: '0 0 18 10', 'aria-hidden': 'true' }, shape), of)
      : undefined;
  return [
    sign('another rate, or a splice', s('path', { d: 'M9,0l5,5l-5,5l-5,-5z', fill: accent })),
    sign('made up', s('rect', { x: 2, y: 2, width: 14, height: 7, fill: levels[3] })),
    sign(
      'thrown away',
      s('rect', { x: 2.5, y: 2, width: 13, height: 7, fill: 'none', stroke: strong }),
    ),
    sign(
      'silence, not sent',
      s('path', { d: 'M1,5.5h16', stroke: quiet, 'stroke-dasharray': '2 3' }),
    ),
  ].filter(one => one !== undefined);
}
