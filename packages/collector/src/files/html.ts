// A session as one HTML file that needs nothing else: no script, no font, nothing from elsewhere.
// Everything in it came from telemetry and is written as text.

import type { SessionDetail, Turn, Wait } from '@framescope/protocol';
import type { StoreReader } from '../store/store.ts';

const TURNS_MAX = 2_000;

export async function sessionHtml(reader: StoreReader, key: string): Promise<string | undefined> {
  const detail = await reader.session(key);
  if (detail === undefined) return undefined;
  const turns = await reader.turns(key, { limit: TURNS_MAX });
  return page(detail, turns.items);
}

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

const ms = (ns: number | null): string => (ns === null ? '–' : `${Math.round(ns / 1e6)} ms`);

const clock = (ns: number): string => {
  const seconds = Math.max(0, ns) / 1e9;
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
};

function page(detail: SessionDetail, turns: readonly Turn[]): string {
  const title = escaped(`Call ${detail.id}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${title}</h1>
${summary(detail)}
<h2>Turns</h2>
${turns.map(turnHtml).join('\n')}
<h2>Frames</h2>
${hops(detail)}
</body>
</html>
`;
}

function summary(detail: SessionDetail): string {
  const at = new Date(Number(BigInt(detail.startUnixNs) / 1_000_000n)).toISOString();
  const v2v = detail.voiceToVoice;
  const rows: [string, string][] = [
    ['Started', at],
    ['Length', clock(detail.durationNs)],
    ['Status', detail.status.replace('_', ' ')],
    ['Services', detail.services.join(', ')],
    ...(v2v === null
      ? []
      : ([
          [
            `Voice to voice (${v2v.definition})`,
            `p50 ${ms(v2v.p50Ns)}, p95 ${ms(v2v.p95Ns)}, worst ${ms(v2v.maxNs)}; ${v2v.n} waits, ${v2v.censored} never answered`,
          ],
        ] as [string, string][])),
    ['Turns over budget', String(detail.overBudgetCount)],
    [
      'Frames',
      `${detail.frames.expected}, lost ${detail.frames.lost}, late ${detail.frames.late}, concealed ${detail.frames.concealed}`,
    ],
    ...Object.entries(detail.attributes).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  ];
  return `<table>${rows
    .map(
      ([name, value]) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(value)}</td></tr>`,
    )
    .join('')}</table>`;
}

function turnHtml(turn: Turn): string {
  const words = turn.words.map(
    one =>
      `<p class="${escaped(one.who)}"><b>${escaped(one.who)}</b> ${escaped(one.text)}${one.cut ? ' <i>(cut)</i>' : ''}</p>`,
  );
  return `<section><h3>${clock(turn.startNs)} ${escaped(turn.outcome)}</h3>${words.join('')}${turn.waits
    .map(waitHtml)
    .join('')}</section>`;
}

function waitHtml(wait: Wait): string {
  const bars = wait.parts.map(part => {
    const share = wait.waitNs <= 0 ? 0 : (100 * part.exposedNs) / wait.waitNs;
    return `<span class="p${hueOf(part.name)}" style="width:${share.toFixed(2)}%" title="${escaped(`${part.name} ${ms(part.exposedNs)}, ${part.owner}`)}"></span>`;
  });
  const list = wait.parts
    .map(
      part =>
        `<li>${escaped(part.name)} ${ms(part.exposedNs)} <small>${escaped(part.owner)}</small></li>`,
    )
    .join('');
  const resolved = `${Math.round(100 * wait.resolved)} % resolved, ± ${ms(wait.errorNs)}`;
  return `<p>${escaped(wait.kind)}, ${escaped(wait.outcome.replaceAll('_', ' '))}: <b>${ms(wait.waitNs)}</b> (${escaped(wait.definition)}; ${resolved})</p><div class="bar">${bars.join('')}</div><ol>${list}</ol>`;
}

/** One of eight tints by name: the same part has the same everywhere. */
const hueOf = (name: string): number =>
  [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 8, 7);

function hops(detail: SessionDetail): string {
  const rows = detail.streams.flatMap(stream =>
    stream.hops.map(
      hop =>
        `<tr><th scope="row">${escaped(hop.key)}</th><td>${hop.frames.expected}</td><td>${hop.frames.lost}</td><td>${hop.frames.late}</td><td>${ms(hop.latency.p50Ns)}</td><td>${ms(hop.latency.p99Ns)}</td><td>${ms(hop.latency.maxNs)}</td></tr>`,
    ),
  );
  return `<table><tr><th>Hop</th><th>Frames</th><th>Lost</th><th>Late</th><th>p50</th><th>p99</th><th>Worst</th></tr>${rows.join('')}</table>`;
}

const TINTS = [
  '#4477aa',
  '#66ccee',
  '#228833',
  '#ccbb44',
  '#ee6677',
  '#aa3377',
  '#bbbbbb',
  '#dd8844',
];
const STYLE = `
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; } th, td { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top; }
section { border-top: 1px solid #8884; } .bar { display: flex; height: 1.2rem; } .bar span { min-width: 1px; }
ol { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; } small { opacity: .7; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } }
${TINTS.map((tint, i) => `.p${i} { background: ${tint}; }`).join('\n')}
`;
