// What the colours mean, beside shapes that say the same.

import { palette } from '../../draw/palette.ts';
import { h, s } from '../../ui/dom.ts';

export function legend(isTrain: boolean): HTMLElement {
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
  if (isTrain)
    return h(
      'div',
      { class: 'legend' },
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
  );
}
