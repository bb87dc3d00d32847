// A turn opened: its ledger as one bar that adds up, the table beneath it, what
// was not seen, moments, words and stages.

import type { ReportedWait, Turn, Wait } from '@framescope/protocol';
import { isUnresolved, partColor } from '../../draw/palette.ts';
import { mainWait } from '../../layout/turns.ts';
import { addsUp, ledgerRows, type LedgerRow } from '../../state/ledger.ts';
import type { SessionModel } from '../../state/session-model.ts';
import { formatRoute } from '../../state/route.ts';
import { cut, h } from '../../ui/dom.ts';
import { duration, ms, share, words } from '../../ui/format.ts';
import { ledgerBar } from './ledger-bar.ts';
import { splitRows } from './split-rows.ts';
import {
  bargeInSection,
  floorSection,
  momentsSection,
  originsSection,
  stagesSection,
  wordsSection,
} from './turn-sections.ts';

const OUTCOMES: Readonly<Record<string, string>> = {
  answered: 'answered',
  filler_only: 'only a filler so far',
  interrupted_after: 'interrupted after the answer began',
  interrupted_before: 'interrupted before any answer',
  abandoned: 'the caller gave up',
  failed: 'failed',
  none: 'never answered',
  open: 'still waiting',
};
const DEFINITIONS: Readonly<Record<string, string>> = {
  setup: 'call asked for → first voice',
  client: 'captured → audible, at the client',
  carrier: 'at the carrier',
  server: 'received → sent, at the server',
  framework: 'the framework’s own figure',
  recording: 'measured on the recording',
};

export interface PanelActions {
  close(): void;
  fit(): void;
}

export function ledgerPanel(model: SessionModel, turn: Turn, actions: PanelActions): HTMLElement[] {
  const number = model.turns.indexOf(turn) + 1;
  const wait = mainWait(turn);
  return [
    h(
      'div',
      { class: 'panel-head' },
      h('h2', {}, `Turn ${number} of ${model.turns.length}`),
      h(
        'button',
        { class: 'button', type: 'button', title: 'Fit (F)', onclick: () => actions.fit() },
        'Fit',
      ),
      turn.traceId !== null &&
        h(
          'a',
          {
            class: 'button',
            href: formatRoute({ page: 'trace', id: turn.traceId, span: undefined }),
          },
          'Trace',
        ),
      h(
        'button',
        {
          class: 'button bare icon',
          type: 'button',
          'aria-label': 'Close the panel',
          onclick: () => actions.close(),
        },
        '✕',
      ),
    ),
    ...turn.waits
      .toSorted((a, b) => Number(b === wait) - Number(a === wait))
      .flatMap(one => waitSections(model, one)),
    ...(turn.waits.length === 0
      ? [h('section', { class: 'quiet' }, 'No wait is known for this turn.')]
      : []),
    bargeInSection(turn),
    floorSection(turn),
    wordsSection(turn),
    model.detail && originsSection(turn, model.detail, model.turns[number]?.startNs ?? Infinity),
    stagesSection(turn),
    featuresSection(turn),
    ...turn.waits.map(momentsSection),
  ].filter(node => node !== undefined);
}

function waitSections(model: SessionModel, wait: Wait): HTMLElement[] {
  const limitNs = model.limitOfWait(wait);
  const rows = ledgerRows(wait, model.turns);
  const isOver = limitNs !== null && wait.waitNs > limitNs;
  const isCensored = wait.endNs === null;
  const verdict =
    limitNs === null
      ? OUTCOMES[wait.outcome]!
      : `${isOver ? `${duration(wait.waitNs - limitNs)} over` : `${duration(limitNs - wait.waitNs)} within`} the budget of ${duration(limitNs)}`;
  return [
    h(
      'section',
      {},
      h(
        'h2',
        {},
        wait.kind === 'response'
          ? 'Wait for the answer'
          : wait.kind === 'greeting'
            ? 'Wait for the greeting'
            : 'Silence inside the answer',
      ),
      h(
        'div',
        { class: 'wait-total' },
        h(
          'b',
          { 'data-wait-ns': wait.waitNs },
          `${isCensored ? '≥ ' : ''}${duration(wait.waitNs)}`,
        ),
        h('span', { class: 'quiet' }, `± ${duration(wait.errorNs)}`),
        h('span', { class: `badge ${isOver ? 'warn' : ''}` }, verdict),
      ),
      h(
        'p',
        { class: 'quiet' },
        `${DEFINITIONS[wait.definition] ?? wait.definition}; ${OUTCOMES[wait.outcome] ?? words(wait.outcome)}; `,
        h(
          'span',
          {
            class: wait.resolved < 0.98 ? 'warn strong' : 'good strong',
            'data-resolved': wait.resolved,
          },
          `${share(wait.resolved, 1)} resolved`,
        ),
      ),
      ledgerBar(wait, limitNs),
      ledgerTable(wait, rows, name => model.limitNs(`part.${name}`)),
      notes(wait),
    ),
  ];
}

function ledgerTable(
  wait: Wait,
  rows: readonly LedgerRow[],
  limitOf: (part: string) => number | null,
): HTMLElement {
  const heads: readonly [string, string][] = [
    ['Part', ''],
    ['ms', 'Exposed: what this part adds to the wait. These add up to it.'],
    ['±', 'Error of the clocks between its two ends'],
    ['full', 'How long it took, wherever it was hidden behind another'],
    ['saves', 'How much shorter the wait would be if this took no time'],
    ['p50', 'Of this part in this session'],
    ['p95', 'Of this part in this session'],
  ];
  const sumNs = wait.parts.reduce((sum, part) => sum + part.exposedNs, 0);
  return h(
    'div',
    { class: 'scroll-x' },
    h(
      'table',
      { class: 'ledger' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...heads.map(([text, title], i) =>
            h(
              'th',
              { scope: 'col', class: i > 0 ? 'right' : undefined, title: title || undefined },
              text,
            ),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        ...rows.flatMap(row => [ledgerRow(row, limitOf(row.name)), ...splitRows(row)]),
      ),
      h(
        'tfoot',
        {},
        h(
          'tr',
          {},
          h('td', {}, addsUp(wait) ? 'Adds up to the wait' : 'Does not add up'),
          h('td', { class: 'right', 'data-sum-ns': sumNs }, ms(sumNs)),
          h('td', { class: 'right' }, ms(wait.errorNs)),
          h('td', { colspan: 4 }),
        ),
      ),
    ),
  );
}

function ledgerRow(row: LedgerRow, limitNs: number | null): HTMLElement {
  const swatch = h('span', {
    class: `swatch${isUnresolved(row.name) ? ' hatched' : ''}`,
    'aria-hidden': 'true',
  });
  swatch.style.backgroundColor = partColor(row.name);
  const isOver = limitNs !== null && row.exposedNs > limitNs;
  const isUnusual = isOver || (row.p95Ns !== undefined && row.exposedNs > row.p95Ns);
  const number = (ns: number | null | undefined, look = 'quiet'): HTMLElement =>
    h('td', { class: `right ${look}` }, ms(ns));
  return h(
    'tr',
    { 'data-part': cut(row.name, 80) },
    h(
      'td',
      {},
      swatch,
      words(cut(row.name, 60)),
      h(
        'span',
        { class: isOver ? 'owner warn' : 'owner' },
        `${cut(row.owner, 40)}${limitNs === null ? '' : ` · budget ${duration(limitNs)}`}`,
      ),
    ),
    h(
      'td',
      {
        class: `right strong${isUnusual ? ' warn' : ''}`,
        title: share(row.exposedNs, row.exposedNs / (row.share || 1)),
        'data-exposed-ns': row.exposedNs,
      },
      ms(row.exposedNs),
    ),
    number(row.errorNs),
    number(row.fullNs),
    h(
      'td',
      { class: 'right quiet', title: row.savesNs === null ? 'The graph cannot say' : undefined },
      ms(row.savesNs),
    ),
    number(row.p50Ns),
    number(row.p95Ns),
  );
}

/** A framework's own figure, and why it is not ours. */
function reportedLine(one: ReportedWait): string {
  const who = `${cut(one.source, 40)} itself: ${duration(one.valueNs)} (${cut(one.meaning, 120)})`;
  if (one.differenceNs === null) return `${who}; ours is only “at least so long”`;
  const [away, how] = [Math.abs(one.differenceNs), one.differenceNs < 0 ? 'less' : 'more'];
  if (away < SAME_NS) return `${who}; ours is the same`;
  const outside =
    one.outsideNs === null
      ? ''
      : `, ${duration(one.outsideNs)} of it before or after what it measures`;
  return `${who}; ours is ${duration(away)} ${how}${outside}`;
}

/** Below half of what is shown two figures are one. */
const SAME_NS = 500_000;

function featuresSection({ features }: Turn): HTMLElement | undefined {
  const entries = Object.entries(features ?? {});
  if (entries.length === 0) return undefined;
  return h(
    'section',
    {},
    h('h2', {}, 'Made with'),
    h(
      'ul',
      { class: 'notes' },
      ...entries.map(([name, value]) =>
        h('li', {}, `${cut(name, 60)}: ${cut(String(value), 120)}`),
      ),
    ),
  );
}

function notes(wait: Wait): HTMLElement | undefined {
  const lines = [
    ...wait.notSeen.map(name => `not seen: ${cut(words(name), 80)}`),
    ...wait.alternatives.map(
      other =>
        `${DEFINITIONS[other.definition] ?? other.definition}: ${duration(other.endNs - other.startNs)}`,
    ),
    ...(wait.reported ?? []).map(reportedLine),
  ];
  return lines.length === 0
    ? undefined
    : h('ul', { class: 'notes' }, ...lines.map(line => h('li', {}, line)));
}
