// What if the agents of one region stood in another: asked of ways that were seen.

import type { Places, PlaceWhatIf } from '@framescope/protocol';
import { h } from '../../ui/dom.ts';
import { count, duration, plural } from '../../ui/format.ts';
import { table } from './tables.ts';

export interface Move {
  readonly from: string;
  readonly to: string;
}

export function moveSection(
  { legs, served, whatIf }: Places,
  ask: (move: Move | undefined) => void,
): HTMLElement {
  const agentRegions = named(served.map(one => one.agentRegion));
  const regions = named(legs.flatMap(leg => [leg.fromRegion, leg.toRegion]));
  return h(
    'section',
    { class: 'block card', 'aria-label': 'What if' },
    h('h2', {}, 'What if agents stood elsewhere'),
    regions.length < 2
      ? h(
          'p',
          { class: 'quiet' },
          'Only one region was seen: what a way to another takes is not known, and not guessed.',
        )
      : picker(agentRegions, regions, whatIf, ask),
    whatIf !== null && answer(whatIf),
  );
}

const named = (names: readonly (string | null)[]): string[] =>
  [...new Set(names.filter(name => name !== null))].toSorted();

function picker(
  agents: readonly string[],
  regions: readonly string[],
  whatIf: PlaceWhatIf | null,
  ask: (move: Move | undefined) => void,
): HTMLElement {
  const select = (
    label: string,
    names: readonly string[],
    chosen: string | undefined,
  ): HTMLSelectElement =>
    h(
      'select',
      { class: 'filter', 'aria-label': label },
      ...names.map(name => h('option', { value: name, selected: name === chosen }, name)),
    );
  const from = select('Agents of', agents, whatIf?.fromRegion);
  const other = regions.find(name => name !== (whatIf?.fromRegion ?? agents[0]));
  const to = select('in', regions, whatIf?.toRegion ?? other);
  return h(
    'form',
    {
      class: 'move',
      onsubmit: (event: Event) => {
        event.preventDefault();
        ask({ from: from.value, to: to.value });
      },
    },
    h('label', {}, 'Agents of ', from),
    h('label', {}, ' in ', to),
    h('button', { class: 'button', type: 'submit' }, 'Ask'),
  );
}

function answer(whatIf: PlaceWhatIf): HTMLElement {
  const { refusal, beforeP50Ns, afterP50Ns, beforeP95Ns, afterP95Ns, errorNs, turns, pairs } =
    whatIf;
  if (refusal !== null) return h('p', { class: 'big' }, `It cannot be said: ${refusal}.`);
  const change = (afterP50Ns ?? 0) - (beforeP50Ns ?? 0);
  return h(
    'div',
    { class: 'stack' },
    h(
      'p',
      { class: 'big' },
      `The median wait would be ${duration(Math.abs(change))} ${change > 0 ? 'longer' : 'shorter'} (± ${duration(errorNs)}): ${duration(afterP50Ns)} instead of ${duration(beforeP50Ns)}.`,
    ),
    h(
      'p',
      { class: 'quiet' },
      `${plural(turns, 'turn')}${beforeP95Ns === null ? '' : `; p95 ${duration(afterP95Ns)} instead of ${duration(beforeP95Ns)}`}. Computed from ways that were seen:`,
    ),
    table<PlaceWhatIf['pairs'][number]>(
      'Ways used',
      [
        { head: 'From', isText: true, of: one => one.from },
        { head: 'To', isText: true, of: one => one.to },
        { head: 'Now', of: one => duration(one.beforeNs) },
        { head: 'Then', of: one => duration(one.afterNs) },
        { head: 'Frames seen', of: one => count(one.n) },
      ],
      pairs,
    ),
  );
}
