// A turn opened: its ledger as one bar that adds up, the table beneath it, what
// was not seen, moments, words and stages.

import type { Turn, Wait } from '@framescope/protocol';
import { isUnresolved, partColor } from '../../draw/palette.ts';
import { mainWait } from '../../layout/turns.ts';
import { addsUp, ledgerRows, type LedgerRow } from '../../state/ledger.ts';
import type { SessionModel } from '../../state/session-model.ts';
import { formatRoute } from '../../state/route.ts';
import { cut, h, s } from '../../ui/dom.ts';
import { duration, moment, ms, share, words } from '../../ui/format.ts';
import { attributes } from '../span-panel.ts';

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
      h('button', { class: 'button', type: 'button', title: 'Fit (F)', onclick: () => actions.fit() }, 'Fit'),
      turn.traceId !== null && h('a', { class: 'button', href: formatRoute({ page: 'trace', id: turn.traceId, span: undefined }) }, 'Trace'),
      h('button', { class: 'button bare icon', type: 'button', 'aria-label': 'Close the panel', onclick: () => actions.close() }, '✕'),
    ),
    ...turn.waits.toSorted((a, b) => Number(b === wait) - Number(a === wait)).flatMap(one => waitSections(model, one)),
    ...(turn.waits.length === 0 ? [h('section', { class: 'quiet' }, 'No wait is known for this turn.')] : []),
    bargeIn(turn),
    wordsSection(turn),
    stagesSection(turn),
    ...turn.waits.map(momentsSection),
  ].filter(node => node !== undefined);
}

function waitSections(model: SessionModel, wait: Wait): HTMLElement[] {
  const budgetNs = model.budgetNs('voice_to_voice', 800e6);
  const rows = ledgerRows(wait, model.turns);
  const isOver = wait.waitNs > budgetNs;
  const isCensored = wait.endNs === null;
  const verdict = `${isOver ? `${duration(wait.waitNs - budgetNs)} over` : `${duration(budgetNs - wait.waitNs)} within`} the budget of ${duration(budgetNs)}`;
  return [
    h(
      'section',
      {},
      h('h2', {}, wait.kind === 'response' ? 'Wait for the answer' : wait.kind === 'greeting' ? 'Wait for the greeting' : 'Silence inside the answer'),
      h(
        'div',
        { class: 'wait-total' },
        h('b', { 'data-wait-ns': wait.waitNs }, `${isCensored ? '≥ ' : ''}${duration(wait.waitNs)}`),
        h('span', { class: 'quiet' }, `± ${duration(wait.errorNs)}`),
        h('span', { class: `badge ${isOver ? 'warn' : ''}` }, wait.kind === 'response' ? verdict : OUTCOMES[wait.outcome]!),
      ),
      h('p', { class: 'quiet' }, `${DEFINITIONS[wait.definition] ?? wait.definition}; ${OUTCOMES[wait.outcome] ?? words(wait.outcome)}; `, h('span', { class: wait.resolved < 0.98 ? 'warn strong' : 'good strong', 'data-resolved': wait.resolved }, `${share(wait.resolved, 1)} resolved`)),
      ledgerBar(wait, budgetNs) as unknown as HTMLElement,
      ledgerTable(wait, rows),
      notes(wait),
    ),
  ];
}

/** The bar: parts end to end, the budget as a dashed line, other definitions as lines above. */
function ledgerBar(wait: Wait, budgetNs: number): SVGElement {
  const wide = 400;
  const allNs = Math.max(wait.waitNs, wait.kind === 'response' ? budgetNs * 1.05 : 0, 1);
  const x = (ns: number): number => (ns / allNs) * wide;
  let atNs = 0;
  const parts = wait.parts.flatMap(part => {
    const left = x(atNs);
    atNs += part.exposedNs;
    const width = Math.max(0, x(part.exposedNs) - 0.8);
    const box = { x: left, y: 12, width, height: 20 };
    const title = s('title', {}, `${words(cut(part.name, 60))}: ${duration(part.exposedNs)}`);
    return [s('rect', { ...box, fill: partColor(part.name) }, title), isUnresolved(part.name) ? s('rect', { ...box, fill: 'url(#hatch)' }) : undefined];
  });
  const lines = wait.alternatives.slice(0, 4).map(other => {
    const left = x(other.startNs - wait.startNs);
    const right = x(other.endNs - wait.startNs);
    return s('path', { d: `M${left},9v-4H${right}v4`, fill: 'none', stroke: 'currentColor', 'stroke-opacity': 0.5 }, s('title', {}, `${other.definition}: ${duration(other.endNs - other.startNs)}`));
  });
  const budget = wait.kind === 'response' ? [s('line', { class: 'budget', x1: x(budgetNs), x2: x(budgetNs), y1: 8, y2: 36 }), s('text', { x: x(budgetNs), y: 45, 'text-anchor': budgetNs > allNs * 0.8 ? 'end' : 'middle' }, 'budget')] : [];
  return s(
    'svg',
    { class: 'ledger-bar', viewBox: `0 0 ${wide} 46`, preserveAspectRatio: 'none', role: 'img', 'aria-label': wait.parts.map(part => `${words(part.name)} ${duration(part.exposedNs)}`).join(', ') },
    s('defs', {}, s('pattern', { id: 'hatch', width: 5, height: 5, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' }, s('line', { x1: 0, x2: 0, y1: 0, y2: 5, stroke: '#141a26', 'stroke-opacity': 0.5, 'stroke-width': 2 }))),
    ...parts,
    ...lines,
    ...budget,
  );
}

function ledgerTable(wait: Wait, rows: readonly LedgerRow[]): HTMLElement {
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
      h('thead', {}, h('tr', {}, ...heads.map(([text, title], i) => h('th', { scope: 'col', class: i > 0 ? 'right' : undefined, title: title || undefined }, text)))),
      h('tbody', {}, ...rows.map(ledgerRow)),
      h('tfoot', {}, h('tr', {}, h('td', {}, addsUp(wait) ? 'Adds up to the wait' : 'Does not add up'), h('td', { class: 'right', 'data-sum-ns': sumNs }, ms(sumNs)), h('td', { class: 'right' }, ms(wait.errorNs)), h('td', { colspan: 4 }))),
    ),
  );
}

function ledgerRow(row: LedgerRow): HTMLElement {
  const swatch = h('span', { class: `swatch${isUnresolved(row.name) ? ' hatched' : ''}`, 'aria-hidden': 'true' });
  swatch.style.backgroundColor = partColor(row.name);
  const isUnusual = row.p95Ns !== undefined && row.exposedNs > row.p95Ns;
  const number = (ns: number | null | undefined, look = 'quiet'): HTMLElement => h('td', { class: `right ${look}` }, ms(ns));
  return h(
    'tr',
    { 'data-part': cut(row.name, 80) },
    h('td', {}, swatch, words(cut(row.name, 60)), h('span', { class: 'owner' }, cut(row.owner, 40))),
    h('td', { class: `right strong${isUnusual ? ' warn' : ''}`, title: share(row.exposedNs, row.exposedNs / (row.share || 1)), 'data-exposed-ns': row.exposedNs }, ms(row.exposedNs)),
    number(row.errorNs),
    number(row.fullNs),
    h('td', { class: 'right quiet', title: row.savesNs === null ? 'The graph cannot say' : undefined }, ms(row.savesNs)),
    number(row.p50Ns),
    number(row.p95Ns),
  );
}

function notes(wait: Wait): HTMLElement | undefined {
  const lines = [
    ...wait.notSeen.map(name => `not seen: ${cut(words(name), 80)}`),
    ...wait.alternatives.map(other => `${DEFINITIONS[other.definition] ?? other.definition}: ${duration(other.endNs - other.startNs)}`),
  ];
  return lines.length === 0 ? undefined : h('ul', { class: 'notes' }, ...lines.map(line => h('li', {}, line)));
}

function bargeIn(turn: Turn): HTMLElement | undefined {
  const barge = turn.bargeIn;
  if (!barge) return undefined;
  const since = (ns: number | null): string => (ns === null ? 'not seen' : `${duration(ns - barge.onsetNs)} after the onset`);
  const rows = [['Caller speaks at', moment(barge.onsetNs)], ['Detected', since(barge.detectNs)], ['Agent silent', since(barge.stopNs)], ['Said but never heard', duration(barge.unheardNs)]] as const;
  return h('section', {}, h('h2', {}, 'Barge-in'), h('table', { class: 'plain' }, h('tbody', {}, ...rows.map(([name, value]) => h('tr', {}, h('td', { class: 'quiet' }, name), h('td', {}, value))))));
}

function wordsSection(turn: Turn): HTMLElement | undefined {
  if (turn.words.length === 0) return undefined;
  const lines = turn.words.slice(0, 60).map(one => h('li', {}, h('span', { class: 'who' }, one.who), h('p', { class: one.who === 'tool' ? 'mono' : undefined }, cut(one.text, 2_000), one.cut && h('span', { class: 'badge warn', title: 'The caller cut in: the rest was not heard' }, 'cut off'))));
  return h('section', {}, h('h2', {}, 'Words'), h('ul', { class: 'words' }, ...lines));
}

function stagesSection(turn: Turn): HTMLElement | undefined {
  if (turn.stages.length === 0) return undefined;
  const rows = turn.stages.slice(0, 60).map(stage =>
    h(
      'tr',
      {},
      h('td', {}, words(cut(stage.name, 40)), stage.discarded && h('span', { class: 'badge' }, 'discarded'), stage.truncated && h('span', { class: 'badge warn' }, 'broken off')),
      h('td', { class: 'right' }, moment(stage.startNs)),
      h('td', { class: 'right' }, stage.firstNs === null ? '–' : duration(stage.firstNs - stage.startNs)),
      h('td', { class: 'right' }, stage.endNs === null ? 'open' : duration(stage.endNs - stage.startNs)),
    ),
  );
  const shown = turn.stages.filter(stage => Object.keys(stage.attributes).length > 0).slice(0, 20);
  const more = shown.map(stage => h('details', {}, h('summary', { class: 'quiet' }, `${words(cut(stage.name, 40))} attributes`), attributes(stage.attributes)));
  return h('section', {}, h('h2', {}, 'Stages'), h('table', { class: 'plain' }, h('thead', {}, h('tr', {}, ...['Stage', 'starts', 'first', 'took'].map((head, i) => h('th', { class: i > 0 ? 'right' : undefined, scope: 'col' }, head)))), h('tbody', {}, ...rows)), ...more);
}

function momentsSection(wait: Wait): HTMLElement | undefined {
  if (wait.moments.length === 0) return undefined;
  const rows = wait.moments
    .toSorted((a, b) => a.atNs - b.atNs)
    .map(one => h('tr', {}, h('td', {}, words(cut(one.name, 60)), h('div', { class: 'sub' }, cut(one.source, 80))), h('td', { class: 'right' }, moment(one.atNs), h('div', { class: 'sub' }, `± ${duration(one.errorNs)}`))));
  return h('section', {}, h('h2', {}, 'Moments'), h('table', { class: 'plain' }, h('tbody', {}, ...rows)));
}
