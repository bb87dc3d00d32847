// Moments as text: `name 380`, `name 380 #g1` (generation), `name 380 < a b`
// (declared after), `name 500 (timer)` (source). Times are ms. And back: one line
// a stretch, `inference 380..820 saves 440`.

import { framescopeProfile } from '../../../src/recognise/framescope-edges.ts';
import {
  buildGraph,
  type FailedAttempt,
  type GraphMoment,
  type GraphNode,
} from '../../../src/assemble/ledger/graph.ts';
import { walkBack, type Stretch } from '../../../src/assemble/ledger/walk.ts';

const MS = 1_000_000;
const LINE = /^(\w+) +(-?[\d.]+)(?: +#(\w+))?(?: +\(([^)]*)\))?(?: +<(.*))?$/;

export function momentsOf(picture: string): GraphMoment[] {
  const lines = picture.split('\n').map(line => line.trim());
  return lines
    .filter(line => line !== '')
    .map(line => {
      const [, name, ms, generation, source, after] = LINE.exec(line) ?? [];
      if (name === undefined) throw new Error(`not a moment: ${line}`);
      return {
        name,
        atNs: Math.round(Number(ms) * MS),
        ...(generation === undefined ? {} : { generation }),
        ...(source === undefined ? {} : { source }),
        ...(after === undefined ? {} : { after: after.trim().split(/ +/) }),
      };
    });
}

interface Options {
  readonly kind?: 'response' | 'greeting' | 'resume';
  readonly failed?: readonly { from: number; to: number; resumes: readonly string[] }[];
}

/** First moment: start. Last moment: end. */
export function graphOf(picture: string, options: Options = {}): GraphNode[] {
  const moments = momentsOf(picture);
  const sourceOf = (name: string): string | undefined =>
    moments.find(one => one.name === name)?.source;
  const failed = (options.failed ?? []).map(({ from, to, resumes }): FailedAttempt => ({
    startNs: from * MS,
    endNs: to * MS,
    resumes,
  }));
  const profile = framescopeProfile({
    kind: options.kind ?? 'response',
    known: new Set(moments.map(moment => moment.name)),
    decidedBy: sourceOf('turn_decided'),
    audioFrom: sourceOf('first_audio'),
  });
  return buildGraph({ moments, profile, failed, startIndex: 0 });
}

export function stretchesOf(picture: string, options: Options = {}): Stretch[] {
  const nodes = graphOf(picture, options);
  return walkBack(nodes[0]!, nodes[momentsOf(picture).length - 1]!);
}

export function pathOf(picture: string, options: Options = {}): string[] {
  return stretchesOf(picture, options).map(({ parts, fromNs, toNs, savesNs }) => {
    const saved = savesNs === null ? '?' : savesNs / MS;
    return `${parts.join('+')} ${fromNs / MS}..${toNs / MS} saves ${saved}`;
  });
}
