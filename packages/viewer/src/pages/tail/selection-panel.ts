// Beside the heatmap: what was picked (a cell, a box, the slowest twentieth), what
// is different about it, what would change it, and its turns.

import type { Heatmap, Tail, TailWhy } from '@framescope/protocol';
import { api, type Query } from '../../data/api.ts';
import type { Picked } from '../../state/picked.ts';
import { fill, h } from '../../ui/dom.ts';
import { duration, plural, wallTime } from '../../ui/format.ts';
import { failed, loading } from '../page.ts';
import { nounOf } from './heat-view.ts';
import { tailList } from './tail-list.ts';
import { whatIf } from './what-if.ts';
import { whySections } from './why.ts';

const TURNS_SHOWN = 50;

export interface PanelHost {
  close(): void;
  /** Keeps only what has this value. */
  narrow(name: string, value: string): void;
}

export interface PanelQuestion {
  readonly map: Heatmap;
  readonly filter: string | undefined;
  /** Nothing: the slowest twentieth of all that is shown. */
  readonly picked: Picked | undefined;
}

export class SelectionPanel {
  readonly element: HTMLElement = h('aside', {
    class: 'panel',
    'aria-label': 'What is different about these',
  });
  readonly #host: PanelHost;
  #asked = 0;

  constructor(host: PanelHost) {
    this.#host = host;
  }

  async show(question: PanelQuestion): Promise<void> {
    const mine = ++this.#asked;
    fill(this.element, this.#head(question), loading('Comparing these with the rest'));
    try {
      const { why, tail } = await answersOf(question);
      if (mine !== this.#asked) return;
      const noun = nounOf(question.map);
      fill(
        this.element,
        this.#head(question, why),
        ...whySections(why, noun, (name, value) => this.#host.narrow(name, value)),
        why.parts.length > 0 && whatIf(rangeQuery(question), partsOf(why)),
        tailList(tail, noun),
      );
    } catch (error) {
      if (mine !== this.#asked) return;
      fill(
        this.element,
        this.#head(question),
        failed(error, () => void this.show(question)),
      );
    }
  }

  #head({ map, picked }: PanelQuestion, why?: TailWhy): HTMLElement {
    return h(
      'div',
      { class: 'panel-head' },
      h('h2', {}, picked ? titleOf(picked) : slowestOf(why, nounOf(map))),
      h(
        'button',
        {
          class: 'button bare icon',
          type: 'button',
          'aria-label': 'Close',
          onclick: () => this.#host.close(),
        },
        '✕',
      ),
    );
  }
}

/** A twentieth, or of few turns as many as say something. */
function slowestOf(why: TailWhy | undefined, noun: string): string {
  if (!why) return 'The slowest';
  const { inside, outside } = why;
  const isTwentieth = inside.turns <= 0.06 * (inside.turns + outside.turns);
  return isTwentieth ? 'The slowest twentieth' : `The slowest ${plural(inside.turns, noun)}`;
}

function titleOf({ minNs, maxNs, fromMs, isNever }: Picked): string {
  const from = wallTime(`${Math.round(fromMs)}000000`, Date.now());
  if (isNever) return `Never answered, from ${from}`;
  const range =
    maxNs > 1e14 ? `Over ${duration(minNs)}` : `${duration(minNs)} – ${duration(maxNs)}`;
  return `${range}, from ${from}`;
}

const partsOf = (why: TailWhy): string[] => why.parts.map(part => part.name);

const rangeQuery = ({ map, filter }: PanelQuestion): Query => ({
  measure: map.measure.name,
  from: map.fromUnixNs,
  to: map.toUnixNs,
  filter,
});

/** Of a measure of frames there are no parts: which calls and which attributes they share is all. */
async function answersOf(
  question: PanelQuestion,
): Promise<{ readonly why: TailWhy; readonly tail: Tail }> {
  const { picked } = question;
  const range = rangeQuery(question);
  const inside = picked
    ? { insideFrom: unixNs(picked.fromMs), insideTo: unixNs(picked.toMs), ...latencyOf(picked) }
    : {};
  const why = await api.tailWhy({ ...range, ...inside });
  const slow = picked ? boxOf(picked) : { minNs: Math.floor(why.fromValueNs) };
  return { why, tail: await api.tail({ ...range, ...slow, limit: TURNS_SHOWN }) };
}

const unixNs = (ms: number): string => `${Math.round(ms)}000000`;

/** An hour: no wait is longer, and the API takes no more. */
const LATENCY_NS_MAX = 3.6e12;

const latencyOf = ({ minNs, maxNs }: Picked): Query => ({
  minNs: Math.floor(minNs),
  maxNs: Math.min(LATENCY_NS_MAX, Math.ceil(maxNs)),
});

const boxOf = (picked: Picked | undefined): Query =>
  picked
    ? {
        from: unixNs(picked.fromMs),
        to: unixNs(picked.toMs),
        ...latencyOf(picked),
        outcome: picked.isNever ? 'censored' : undefined,
      }
    : {};
