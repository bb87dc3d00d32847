// Every option of the five programs, once: name, default, which programs take
// it, and the line of `--help`. The launcher takes them all and hands each
// process its own.

import { parseArgs } from 'node:util';
import { FRAME_MS } from './audio.ts';
import { randomFrom } from './random.ts';

export type Program = 'main' | 'client' | 'edge' | 'agent' | 'models';

export const SLOW_HOPS = ['none', 'edge', 'agent', 'client', 'stt', 'llm', 'tts'] as const;
export type SlowHop = (typeof SLOW_HOPS)[number];

interface OptionSpec {
  readonly value: string | number | boolean;
  /** What a text has to look like, and how it is said when it does not. */
  readonly form?: readonly [RegExp, string];
  readonly hint?: string;
  readonly help: string;
  readonly programs: readonly Program[];
}

export interface Options {
  readonly calls: number;
  readonly turns: number;
  readonly duration: number;
  readonly loop: boolean;
  readonly 'barge-in': boolean;
  readonly 'skew-ms': number;
  readonly 'drift-ppm': number;
  readonly delay: number;
  readonly jitter: number;
  readonly loss: number;
  readonly 'endpoint-ms': number;
  readonly preemptive: boolean;
  readonly tool: boolean;
  readonly 'lead-ms': number;
  readonly 'slow-hop': string;
  readonly 'slow-ms': number;
  readonly 'slow-share': number;
  readonly steady: boolean;
  readonly brief: boolean;
  readonly seed: number;
  readonly collector: string;
  readonly port: number;
  readonly edge: string;
  readonly agent: string;
  readonly models: string;
  readonly relays: number;
  readonly 'kill-relay': string;
  readonly regions: string;
  readonly 'far-model': boolean;
  readonly 'far-ms': number;
  readonly 'cold-start': boolean;
  readonly spike: boolean;
  readonly slots: number;
  readonly chunk: string;
  readonly 'jitter-buffer': string;
  readonly region: string;
  readonly instance: string;
}

type Name = keyof Options;

const ALL: readonly Program[] = ['main', 'client', 'edge', 'agent', 'models'];
const CLIENT: readonly Program[] = ['main', 'client'];
const EDGE: readonly Program[] = ['main', 'edge'];
const AGENT: readonly Program[] = ['main', 'agent'];
const MODELS: readonly Program[] = ['main', 'models'];

const DURATION = [/^(\d+(?:\.\d+)?)(ms|s)$/, 'a time such as 200ms or 20s'] as const;
const REGIONS = [/^[a-z0-9-]+(,[a-z0-9-]+)*$/, 'regions such as eu,us'] as const;
const BUFFER = [/^(adaptive|fixed:\d{1,4})$/, 'adaptive, or fixed:MS such as fixed:120'] as const;

const OPTIONS: Readonly<Record<Name, OptionSpec>> = {
  calls: { value: 1, hint: 'N', help: 'Calls at the same time.', programs: CLIENT },
  turns: { value: 4, hint: 'N', help: 'Things the user says before hanging up.', programs: CLIENT },
  duration: {
    value: 0,
    hint: 'S',
    help: 'Hang up and stop after this many seconds; 0: when the calls are over.',
    programs: CLIENT,
  },
  loop: { value: false, help: 'Call after call, until stopped.', programs: CLIENT },
  'barge-in': {
    value: false,
    help: 'The user talks over every second answer.',
    programs: CLIENT,
  },
  'skew-ms': {
    value: 3_700,
    hint: 'MS',
    help: "How far the client's clock is off.",
    programs: CLIENT,
  },
  'drift-ppm': {
    value: 40,
    hint: 'PPM',
    help: "How much too fast the client's clock runs.",
    programs: CLIENT,
  },
  delay: { value: 20, hint: 'MS', help: 'Delay of the line, each way.', programs: EDGE },
  jitter: {
    value: 8,
    hint: 'MS',
    help: 'Jitter of the line, each way: 19 of 20 frames wait less than this on top.',
    programs: EDGE,
  },
  loss: { value: 0.2, hint: '%', help: 'Frames lost on the line, each way.', programs: EDGE },
  'endpoint-ms': {
    value: 500,
    hint: 'MS',
    help: 'Silence that ends the user’s turn (200 to 5000).',
    programs: AGENT,
  },
  preemptive: {
    value: false,
    help: 'Ask the model at the final transcript, before the turn is decided.',
    programs: AGENT,
  },
  tool: {
    value: false,
    help: 'The model calls a tool every second turn, after a spoken filler.',
    programs: AGENT,
  },
  'lead-ms': {
    value: 60,
    hint: 'MS',
    help: 'How far ahead of real time the agent sends its voice.',
    programs: AGENT,
  },
  'slow-hop': {
    value: 'none',
    hint: 'HOP',
    help: `Makes one hop slow: ${SLOW_HOPS.join(', ')}.`,
    programs: ALL,
  },
  'slow-ms': { value: 120, hint: 'MS', help: 'By how much.', programs: ALL },
  'slow-share': {
    value: 100,
    hint: '%',
    help: 'How many meet it: calls (edge, agent, client) or requests (stt, llm, tts).',
    programs: ALL,
  },
  steady: {
    value: false,
    help: 'Replayed models without the long tail of real ones: only what is made slow is.',
    programs: ['main', 'models'],
  },
  brief: {
    value: false,
    help: 'The user says short things and talks on after a second of each answer.',
    programs: ['main', 'client', 'models'],
  },
  seed: {
    value: 1,
    hint: 'N',
    help: 'The same seed gives the same words, timings and line again.',
    programs: ALL,
  },
  collector: {
    value: 'http://127.0.0.1:4318',
    hint: 'URL',
    help: 'The Framescope collector that traces go to.',
    programs: ALL,
  },
  port: {
    value: 0,
    hint: 'PORT',
    help: 'Port to listen on; 0: a free one, printed.',
    programs: ['edge', 'agent', 'models'],
  },
  relays: { value: 1, hint: 'N', help: 'Edge relays in each region.', programs: ['main'] },
  'kill-relay': {
    value: '',
    hint: 'TIME',
    form: DURATION,
    help: 'Kills the first relay so long after the start (20s); its calls go on over another.',
    programs: ['main'],
  },
  regions: {
    value: '',
    hint: 'LIST',
    form: REGIONS,
    help: 'Callers, relays, agents and models in each of these regions (eu,us).',
    programs: ['main'],
  },
  'far-model': {
    value: false,
    help: 'With --regions: models in the last region only.',
    programs: ['main'],
  },
  'far-ms': {
    value: 45,
    hint: 'MS',
    help: 'From one region to another, each way.',
    programs: MODELS,
  },
  'cold-start': {
    value: false,
    help: 'The agent is started when the first call comes, as where there is none to spare.',
    programs: ['main'],
  },
  spike: {
    value: false,
    help: 'A tenth of the calls at first; after 15 s all the others at once.',
    programs: CLIENT,
  },
  slots: {
    value: 0,
    hint: 'N',
    help: 'Requests the language model works on at a time; 0: any number (4 with --spike).',
    programs: MODELS,
  },
  chunk: {
    value: '20ms',
    hint: 'TIME',
    form: DURATION,
    help: 'The client sends the microphone in pieces of so long.',
    programs: CLIENT,
  },
  'jitter-buffer': {
    value: 'adaptive',
    hint: 'POLICY',
    form: BUFFER,
    help: 'Depth of the client’s jitter buffer: by what it sees, or fixed:MS.',
    programs: CLIENT,
  },
  region: {
    value: '',
    hint: 'NAME',
    help: 'Where this process runs.',
    programs: ['client', 'edge', 'agent', 'models'],
  },
  instance: {
    value: '',
    hint: 'NAME',
    help: 'What this process is called.',
    programs: ['client', 'edge', 'agent', 'models'],
  },
  edge: {
    value: '',
    hint: 'URL',
    help: 'Addresses of the edge relays, with commas between.',
    programs: ['client'],
  },
  agent: { value: '', hint: 'URL', help: 'Address of the agent.', programs: ['edge'] },
  models: { value: '', hint: 'URL', help: 'Address of the models.', programs: ['agent'] },
};

const NAMES = Object.keys(OPTIONS) as Name[];
const LIMITS: Partial<Record<Name, readonly [number, number]>> = {
  calls: [1, 200],
  turns: [1, 10_000],
  relays: [1, 8],
  slots: [0, 1_000],
  loss: [0, 100],
  'slow-share': [0, 100],
  'endpoint-ms': [200, 5_000],
  'lead-ms': [0, 1_000],
  'drift-ppm': [-500, 500],
  'skew-ms': [-1e9, 1e9],
  port: [0, 65_535],
};
const AT_MOST = 1e9;

/** The options in `argv`; undefined when help was asked for (and printed). Throws with what to do. */
export function readOptions(program: Program, argv: readonly string[]): Options | undefined {
  const names = NAMES.filter(name => OPTIONS[name].programs.includes(program));
  const config = Object.fromEntries(
    names.map(name => [
      name,
      { type: typeof OPTIONS[name].value === 'boolean' ? 'boolean' : 'string' } as const,
    ]),
  );
  const options = { ...config, help: { type: 'boolean', short: 'h' } as const };
  const { values } = parseArgs({ args: [...argv], options, strict: true });
  if (values.help === true) {
    process.stdout.write(helpText(program, names));
    return undefined;
  }
  const raw: Record<string, string | boolean | undefined> = values;
  const given = NAMES.map(name => [name, valueOf(name, raw[name])]);
  return checked(Object.fromEntries(given) as unknown as Options);
}

function valueOf(name: Name, raw: string | boolean | undefined): string | number | boolean {
  const fallback = OPTIONS[name].value;
  if (raw === undefined) return fallback;
  if (typeof raw === 'string') checkForm(name, raw);
  if (typeof fallback !== 'number') return raw;
  const value = Number(raw);
  const [min, max] = LIMITS[name] ?? [0, AT_MOST];
  if (raw === '' || !Number.isFinite(value) || value < min || value > max) {
    throw new Error(`--${name} must be a number from ${min} to ${max}, not "${String(raw)}"`);
  }
  return value;
}

function checkForm(name: Name, raw: string): void {
  const { form } = OPTIONS[name];
  if (form === undefined || form[0].test(raw)) return;
  throw new Error(`--${name} must be ${form[1]}, not "${raw}"`);
}

/** Milliseconds of `200ms` or `20s`. */
export function durationMs(text: string): number {
  const [, value, unit] = DURATION[0].exec(text) ?? [];
  return Number(value) * (unit === 's' ? 1_000 : 1);
}

function checked(options: Options): Options {
  const hops: readonly string[] = SLOW_HOPS;
  if (!hops.includes(options['slow-hop'])) {
    throw new Error(`--slow-hop must be one of ${hops.join(', ')}, not "${options['slow-hop']}"`);
  }
  if (options['kill-relay'] !== '' && options.relays < 2) {
    throw new Error('--kill-relay needs another relay to go on with: --relays 2');
  }
  if (options['far-model'] && !options.regions.includes(',')) {
    throw new Error('--far-model needs two regions: --regions eu,us');
  }
  const chunkMs = durationMs(options.chunk);
  if (chunkMs < FRAME_MS || chunkMs > 1_000 || chunkMs % FRAME_MS !== 0) {
    throw new Error(`--chunk must be a multiple of 20ms up to 1s, not "${options.chunk}"`);
  }
  return options;
}

/**
 * Milliseconds by which `hop` is to be slowed down, asked once for each that may meet it: 0 unless it
 * is the slow one, and for those that `--slow-share` spares. The same seed spares the same.
 */
export function slowness(options: Options, hop: SlowHop, seed: number): () => number {
  const random = randomFrom(seed, 'slow', hop);
  return () =>
    options['slow-hop'] === hop && random() * 100 < options['slow-share'] ? options['slow-ms'] : 0;
}

/** How wrong a clock is. */
export interface Skew {
  readonly offsetMs: number;
  readonly driftPpm: number;
}

/** What is wrong with the client's clock. */
export function skewOf(options: Options): Skew {
  return { offsetMs: options['skew-ms'], driftPpm: options['drift-ppm'] };
}

/** The part of `options` that `program` takes, as arguments for it. */
export function argumentsFor(program: Program, options: Options): string[] {
  return NAMES.filter(name => OPTIONS[name].programs.includes(program)).flatMap(name => {
    const value = options[name];
    if (typeof value === 'boolean') return value ? [`--${name}`] : [];
    return value === '' ? [] : [`--${name}=${value}`];
  });
}

const ABOUT: Record<Program, string> = {
  main: 'Runs a voice call: client → edge relay → agent ⇄ models → back, as four processes or more.',
  client: 'The caller: microphone, jitter buffer, loudspeaker. Started by main.js, or alone.',
  edge: 'The edge relay, and the bad line. Started by main.js, or alone.',
  agent: 'The voice agent: hears, decides, speaks. Started by main.js, or alone.',
  models: 'Speech recogniser, language model, synthesiser. Started by main.js, or alone.',
};

function helpText(program: Program, names: readonly Name[]): string {
  const rows = names.map(name => {
    const { hint, help, value } = OPTIONS[name];
    const left = `  --${name}${hint === undefined ? '' : ` ${hint}`}`;
    const preset = value === false || value === '' ? '' : ` [${value}]`;
    return `${left.padEnd(22)} ${help}${preset}`;
  });
  const lines = [`Usage: node out/${program}.js [options]`, '', ABOUT[program], '', ...rows];
  if (program === 'main' || program === 'models') {
    lines.push('', 'With OPENAI_API_KEY set, the models are the real ones of OpenAI.');
  }
  return `${lines.join('\n')}\n`;
}
