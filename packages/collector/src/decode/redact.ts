// Words that must not be kept: taken out of what was decoded, before anything
// is written or handed on. What is left says that something stood there.
//
//   --redact transcripts            what was said, by the user, the agent and tools, as each
//                                   framework that we know writes it
//   --redact 'customer.*,card'      attributes by name; * stands for anything
//
// Works on objects: bodies do not take the quick way into columns then.

import {
  ATTR,
  type Attributes,
  type AttributeValue,
  type Json,
  type JsonObject,
  type StateMessage,
} from '@framescope/protocol';
import type { DecodedFlush, DecodedRequest, DecodedSpan } from './types.ts';

export const REDACTED = '[redacted]';

/** Attributes that hold what was said or asked, by the conventions of each framework. */
const TRANSCRIPTS: readonly string[] = [
  // GenAI conventions of OpenTelemetry, past and present
  'gen_ai.prompt*',
  'gen_ai.completion*',
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.system_instructions',
  'gen_ai.tool.call.arguments',
  'gen_ai.tool.call.result',
  'gen_ai.*.message.content',
  // OpenInference
  'input.value',
  'output.value',
  'llm.input_messages*',
  'llm.output_messages*',
  'llm.prompts*',
  // Pipecat
  'transcript',
  'text',
  'input',
  'output',
  'messages',
  'system',
  'system_instruction',
  'tool.arguments',
  'tool.result',
  // LiveKit Agents
  'lk.user_transcript',
  'lk.user_input',
  'lk.input_text',
  'lk.response.text',
  'lk.response.function_calls',
  'lk.chat_ctx',
  'lk.instructions',
  'lk.function_tool.arguments',
  'lk.function_tool.output',
  // Call reports
  'report.user.text',
  'report.agent.text',
  // Logfire
  'logfire.msg',
  'request_data',
  'response_data',
  'all_messages_events',
  'pydantic_ai.all_messages',
  // Bodies of log records and content of events
  ATTR.logBody,
  'content',
  'body',
];

export class Redactor {
  readonly #pattern: RegExp;
  readonly #isTranscripts: boolean;

  /** `transcripts`, or names of attributes with `*` for anything. */
  constructor(words: readonly string[]) {
    this.#isTranscripts = words.includes('transcripts');
    const names = words.flatMap(word => (word === 'transcripts' ? TRANSCRIPTS : [word]));
    const sources = names.map(name =>
      name.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '.*'),
    );
    this.#pattern = new RegExp(`^(?:${sources.join('|')})$`, 's');
  }

  redact(request: DecodedRequest): DecodedRequest {
    return {
      ...request,
      spans: request.spans.map(span => this.#span(span)),
      flushes: request.flushes.map(flush => this.#flush(flush)),
    };
  }

  #span(span: DecodedSpan): DecodedSpan {
    return {
      ...span,
      // The name of a log record is its text.
      name: this.#isTranscripts && ATTR.log in span.attributes ? 'log' : span.name,
      attributes: this.#turnState(this.#attributes(span.attributes)),
      events: span.events.map(event => ({
        ...event,
        attributes: this.#attributes(event.attributes),
      })),
      links: span.links.map(link => ({ ...link, attributes: this.#attributes(link.attributes) })),
    };
  }

  #attributes(attributes: Attributes): Attributes {
    const names = Object.keys(attributes);
    if (!names.some(name => this.#pattern.test(name))) return attributes;
    const kept: Record<string, AttributeValue> = { ...attributes };
    for (const name of names) if (this.#pattern.test(name)) kept[name] = REDACTED;
    return kept;
  }

  /** A turn's final state rides on its span as JSON, words included. */
  #turnState(attributes: Attributes): Attributes {
    const text = attributes[ATTR.turnState];
    if (!this.#isTranscripts || typeof text !== 'string') return attributes;
    return { ...attributes, [ATTR.turnState]: withoutWords(text) };
  }

  #flush(flush: DecodedFlush): DecodedFlush {
    const { state } = flush;
    if (!this.#isTranscripts || (!state?.turns && !state?.changes)) return flush;
    const turns = state.turns?.map(turn => ({
      ...turn,
      words: turn.words.map(one => ({ ...one, text: REDACTED })),
    }));
    const changes = state.changes?.map(change => ({
      ...change,
      set: withoutChangedWords(change.set),
    }));
    const redacted: StateMessage = {
      ...state,
      ...(turns && { turns }),
      ...(changes && { changes }),
    };
    return { ...flush, state: redacted };
  }
}

/** Words of a change: a list by index, or a whole one; whatever stands there is no text afterwards. */
function withoutChangedWords(set: JsonObject): JsonObject {
  const { words } = set;
  if (words === undefined || words === null || typeof words !== 'object') return set;
  const wordless = (one: Json): Json =>
    typeof one === 'object' && one !== null && !Array.isArray(one) && Object.hasOwn(one, 'text')
      ? { ...one, text: REDACTED }
      : typeof one === 'string'
        ? REDACTED
        : one;
  return {
    ...set,
    words: Array.isArray(words)
      ? words.map(wordless)
      : Object.fromEntries(Object.entries(words).map(([at, one]) => [at, wordless(one)])),
  };
}

/** A state that cannot be read could hold anything: nothing of it is kept. */
function withoutWords(json: string): string {
  try {
    const state = JSON.parse(json) as { words?: unknown };
    if (Array.isArray(state.words))
      state.words = (state.words as object[]).map(one => ({ ...one, text: REDACTED }));
    return JSON.stringify(state);
  } catch {
    return REDACTED;
  }
}
