// The JSON messages between our processes. Audio is binary and in packet.ts;
// the call's identity (session, seed, Opus pre-skip) is in the URL of each
// connection, so that every process knows it before the first frame.

/** Between client and agent, through the edge. */
export type CallMessage =
  | { readonly type: 'clear' } // agent → client: forget what is not played yet
  | { readonly type: 'cleared'; readonly heardTick: number } // client → agent
  | { readonly type: 'agent_done' } // agent → client: the answer is all sent
  | { readonly type: 'resumed'; readonly missing: number } // agent → client: frames it never got
  | { readonly type: 'bye' }; // client → agent: hanging up

/** Agent → models. 100 ms of audio travel as binary between these (model-frames.ts). */
export type ModelRequest =
  | { readonly type: 'stt.begin'; readonly turn: number }
  | { readonly type: 'stt.finalize'; readonly id: number }
  | {
      readonly type: 'llm.request';
      readonly id: number;
      readonly messages: readonly ChatMessage[];
      readonly tools: boolean;
    }
  | {
      readonly type: 'tts.request';
      readonly id: number;
      readonly text: string;
      /** Where on the agent's stream the answer will stand. */
      readonly tick: number;
    }
  | { readonly type: 'tool.request'; readonly id: number; readonly name: string }
  | { readonly type: 'cancel'; readonly id: number };

/** Models → agent. Speech travels as binary (model-frames.ts). */
export type ModelReply =
  | { readonly type: 'stt.partial'; readonly text: string }
  | { readonly type: 'stt.final'; readonly id: number; readonly text: string }
  | {
      readonly type: 'llm.timing';
      readonly id: number;
      readonly queueMs: number;
      readonly processingMs: number;
    }
  | { readonly type: 'llm.token'; readonly id: number; readonly text: string }
  | {
      readonly type: 'llm.tool';
      readonly id: number;
      readonly name: string;
      readonly input: string;
    }
  | { readonly type: 'tool.result'; readonly id: number; readonly output: string }
  | { readonly type: 'done'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly reason: string };

export interface ChatMessage {
  readonly role: 'user' | 'assistant' | 'tool';
  readonly content: string;
}

/** The message in `text`, or undefined if it is not an object with one of `types`. */
export function parseMessage<T extends { readonly type: string }>(
  text: string,
  types: readonly T['type'][],
): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  const known: readonly unknown[] = types;
  return known.includes(value.type) ? (value as T) : undefined;
}

/**
 * Ways a connection ends that are not the end of the call: the other end went away, or is starting
 * again. Whoever finds another way takes the call up again by its ID.
 */
export const isCutOff = (code: number): boolean => code === 1001 || code === 1006 || code === 1012;

export interface CallIdentity {
  readonly session: string;
  readonly seed: number;
  /** Samples of delay that the microphone's Opus encoder adds. */
  readonly preSkip: number;
}

export function urlForCall(base: string, call: CallIdentity): string {
  const url = new URL(base);
  url.searchParams.set('session', call.session);
  url.searchParams.set('seed', String(call.seed));
  url.searchParams.set('preskip', String(call.preSkip));
  return url.href;
}

/** What `urlForCall` put there; undefined without a session. */
export function callFromUrl(requestUrl: string | undefined): CallIdentity | undefined {
  const query = new URL(requestUrl ?? '/', 'ws://localhost').searchParams;
  const session = query.get('session');
  if (session === null || session === '') return undefined;
  return { session, seed: integer(query.get('seed')), preSkip: integer(query.get('preskip')) };
}

function integer(text: string | null): number {
  const value = Number(text ?? 0);
  return Number.isSafeInteger(value) ? value : 0;
}
