// What else is known of a turn: barge-in, words, stages, moments.

import type { BargeInOutcome, SessionDetail, Turn, Wait } from '@framescope/protocol';
import { cut, h } from '../../ui/dom.ts';
import { count, duration, moment, words } from '../../ui/format.ts';
import { attributes } from '../span-panel.ts';

const OUTCOMES: Readonly<Record<BargeInOutcome, string>> = {
  interrupted: 'the agent was interrupted',
  resumed: 'none: the agent went on with what it was saying',
  echo: 'none: the agent heard itself, and nobody said anything',
};

export function bargeInSection(turn: Turn): HTMLElement | undefined {
  const barge = turn.bargeIn;
  if (!barge) return undefined;
  const since = (ns: number | null): string =>
    ns === null ? 'not seen' : `${duration(ns)} after the onset`;
  const rows = [
    ['Caller speaks at', moment(barge.onsetNs)],
    ['Detected', since(barge.detectNs)],
    ['Decided', since(barge.decideNs)],
    ['Cancelled', since(barge.cancelNs)],
    ['Agent silent', since(barge.stopNs)],
    ['Said but never heard', duration(barge.unheardNs)],
    ['What came of it', OUTCOMES[barge.outcome]],
  ] as const;
  return rowsSection('Barge-in', rows);
}

/** Who had the floor, where it was not taken: short words over the agent, gaps and overlaps. */
export function floorSection(turn: Turn): HTMLElement | undefined {
  const { backchannels, floorTransferNs } = turn;
  const rows: (readonly [string, string])[] = [];
  if (backchannels !== undefined) rows.push(['Short words over the agent', count(backchannels)]);
  if (floorTransferNs !== undefined)
    rows.push(
      floorTransferNs < 0
        ? ['Agent began before the caller was done by', duration(-floorTransferNs)]
        : ['Caller silent to agent heard', duration(floorTransferNs)],
    );
  return rows.length === 0 ? undefined : rowsSection('Floor', rows);
}

function rowsSection(title: string, rows: readonly (readonly [string, string])[]): HTMLElement {
  return h(
    'section',
    {},
    h('h2', {}, title),
    h(
      'table',
      { class: 'plain' },
      h(
        'tbody',
        {},
        ...rows.map(([name, value]) =>
          h('tr', {}, h('td', { class: 'quiet' }, name), h('td', {}, value)),
        ),
      ),
    ),
  );
}

export function wordsSection(turn: Turn): HTMLElement | undefined {
  if (turn.words.length === 0) return undefined;
  const lines = turn.words
    .slice(0, 60)
    .map(one =>
      h(
        'li',
        {},
        h('span', { class: 'who' }, one.who),
        h(
          'p',
          { class: one.who === 'tool' ? 'mono' : undefined },
          cut(one.text, 2_000),
          one.cut &&
            h(
              'span',
              { class: 'badge warn', title: 'The caller cut in: the rest was not heard' },
              'cut off',
            ),
        ),
      ),
    );
  return h('section', {}, h('h2', {}, 'Words'), h('ul', { class: 'words' }, ...lines));
}

const QUALITIES: Readonly<Record<string, string>> = {
  exact: 'counted',
  reported: 'told by a service',
  inferred: 'guessed',
};
const ORIGINS_SHOWN_MAX = 60;

/** Which sound these words were heard in, or spoken as: told while the turn went on. */
export function originsSection(
  turn: Turn,
  { streams }: Pick<SessionDetail, 'streams'>,
  untilNs: number,
): HTMLElement | undefined {
  const rows = streams
    .flatMap(({ sampleRate, lineage }) =>
      (lineage?.derivations ?? []).map(one => ({ ...one, sampleRate })),
    )
    .filter(one => one.atNs >= turn.startNs && one.atNs < untilNs)
    .toSorted((a, b) => a.atNs - b.atNs)
    .slice(0, ORIGINS_SHOWN_MAX)
    .map(one => {
      const mediaOf = (tick: number): string => moment((tick / one.sampleRate) * 1e9);
      return h(
        'tr',
        {},
        h('td', {}, cut(one.text, 200), h('div', { class: 'sub' }, one.who)),
        h(
          'td',
          { class: 'right' },
          `${mediaOf(one.fromTick)} – ${mediaOf(one.toTick)}`,
          h('div', { class: 'sub' }, QUALITIES[one.quality] ?? one.quality),
        ),
      );
    });
  if (rows.length === 0) return undefined;
  return h(
    'section',
    {},
    h('h2', {}, 'Words in the sound'),
    h('table', { class: 'plain' }, h('tbody', {}, ...rows)),
  );
}

export function stagesSection(turn: Turn): HTMLElement | undefined {
  if (turn.stages.length === 0) return undefined;
  const rows = turn.stages
    .slice(0, 60)
    .map(stage =>
      h(
        'tr',
        {},
        h(
          'td',
          {},
          words(cut(stage.name, 40)),
          stage.discarded && h('span', { class: 'badge' }, 'discarded'),
          stage.truncated && h('span', { class: 'badge warn' }, 'broken off'),
        ),
        h('td', { class: 'right' }, moment(stage.startNs)),
        h(
          'td',
          { class: 'right' },
          stage.firstNs === null ? '–' : duration(stage.firstNs - stage.startNs),
        ),
        h(
          'td',
          { class: 'right' },
          stage.endNs === null ? 'open' : duration(stage.endNs - stage.startNs),
        ),
      ),
    );
  const shown = turn.stages.filter(stage => Object.keys(stage.attributes).length > 0).slice(0, 20);
  const more = shown.map(stage =>
    h(
      'details',
      {},
      h('summary', { class: 'quiet' }, `${words(cut(stage.name, 40))} attributes`),
      attributes(stage.attributes),
    ),
  );
  return h(
    'section',
    {},
    h('h2', {}, 'Stages'),
    h(
      'table',
      { class: 'plain' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...['Stage', 'starts', 'first', 'took'].map((head, i) =>
            h('th', { class: i > 0 ? 'right' : undefined, scope: 'col' }, head),
          ),
        ),
      ),
      h('tbody', {}, ...rows),
    ),
    ...more,
  );
}

export function momentsSection(wait: Wait): HTMLElement | undefined {
  if (wait.moments.length === 0) return undefined;
  const rows = wait.moments
    .toSorted((a, b) => a.atNs - b.atNs)
    .map(one =>
      h(
        'tr',
        {},
        h('td', {}, words(cut(one.name, 60)), h('div', { class: 'sub' }, cut(one.source, 80))),
        h(
          'td',
          { class: 'right' },
          moment(one.atNs),
          h('div', { class: 'sub' }, `± ${duration(one.errorNs)}`),
        ),
      ),
    );
  return h(
    'section',
    {},
    h('h2', {}, 'Moments'),
    h('table', { class: 'plain' }, h('tbody', {}, ...rows)),
  );
}
