// What really happened in a scripted conversation, and which parts a ledger must have for it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Stalls, type Gap } from '../stalls.ts';

/** One line of an agent program. */
export interface Happened {
  readonly what: string;
  readonly turn: number | null;
  readonly unixNs: string;
  /** Of the last voiced frame, with `speech_ended`. */
  readonly atUnixNs?: string;
  readonly [more: string]: unknown;
}

/** The realised times of one turn. */
export class TurnTruth {
  readonly #lines: readonly Happened[];

  constructor(lines: readonly Happened[], turn: number) {
    this.#lines = lines.filter(line => line.turn === turn);
  }

  /** Unix ns of the nth event of a name (from the end: −1); undefined: it did not happen. */
  at(what: string, nth = -1): bigint | undefined {
    const line = this.#lines.filter(one => one.what === what).at(nth);
    return line === undefined ? undefined : BigInt(line.atUnixNs ?? line.unixNs);
  }

  /** LiveKit speculates where it may, and not at each time it might: the program's log says whether it did. */
  pathOf(path: Path): Path {
    const [asked, decided] = [this.at('model_requested'), this.at('turn_completed')];
    const isInOrder = asked !== undefined && decided !== undefined && asked >= decided;
    return isInOrder ? (path.inOrder ?? path) : path;
  }

  /** The parts of `path`: each from the end of the one before to its own event. */
  parts(path: Path): TruePart[] {
    let from = this.at(path.from[0], path.from[1]);
    return path.parts.flatMap(([name, what, nth = -1]) => {
      const to = this.at(what, nth);
      if (from === undefined || to === undefined)
        throw new Error(`${name}: "${what}" did not happen in the script`);
      const part = { name, ms: Number(to - from) / 1e6, from, to };
      from = to;
      return part;
    });
  }

  /** Moments that a framework's word for a moment was taken at: where it heard the silence, for the end of speech. */
  toldAt(what: string, nth: number): bigint[] {
    const moments = [this.at(what, nth), what === SPEECH_END[0] ? this.at('vad_ended') : undefined];
    return moments.filter(at => at !== undefined);
  }
}

export interface TruePart {
  readonly name: string;
  readonly ms: number;
  /** Unix ns. */
  readonly from: bigint;
  readonly to: bigint;
}

/** When the program's event loop stood still in a conversation. */
export function stallsOf(lines: readonly Happened[]): Stalls {
  const line = lines.find(one => one.what === 'stalls');
  if (line === undefined) throw new Error('the program did not say when it stood still');
  return new Stalls(line['gaps'] as Gap[]);
}

/** From where a wait is counted, and the parts in order with the event that ends each. */
export interface Path {
  readonly from: readonly [what: string, nth: number];
  readonly parts: readonly (readonly [name: string, what: string, nth?: number])[];
  /** The path instead where the program asked its model only after the turn was decided. */
  readonly inOrder?: Path;
}

export const SPEECH_END: Path['from'] = ['speech_ended', -1];

export const SPOKEN: Path['parts'] = [
  ['inference', 'first_token'],
  ['aggregation', 'text_sent'],
  ['synthesis', 'first_audio'],
  ['delivery', 'first_frame_sent'],
];

/** Runs a program to its end; its lines. @throws with what it wrote when it fails. */
export async function runAgent(
  command: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
): Promise<Happened[]> {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr.slice(-3_000)}`);
  return stdout
    .split('\n')
    .filter(line => line.startsWith('{"what"'))
    .map(line => JSON.parse(line) as Happened);
}
