// OTLP traces in JSON without JSON.parse: the frame (resourceSpans, scopeSpans,
// spans) is walked here, a usual span goes straight into columns
// (quick-json-span.ts), another one is cut out and read as an object.
//
// Says false for a body of which it is not sure: whoever reads it then whole
// (otlp-json.ts) knows what is wrong with it.

import { JsonScanner } from './json-scanner.ts';
import { TEXT_LENGTH_MAX } from './limits.ts';
import { readAttributes, readSpan } from './otlp-json.ts';
import { SpanProblem } from './problem.ts';
import type { RequestBuilder } from './request.ts';
import { scopeText, type ScopeName } from './scope.ts';

const WORD = {
  resourceSpans: Buffer.from('resourceSpans'),
  resource: Buffer.from('resource'),
  scopeSpans: Buffer.from('scopeSpans'),
  scope: Buffer.from('scope'),
  spans: Buffer.from('spans'),
  schemaUrl: Buffer.from('schemaUrl'),
} as const;

type Word = keyof typeof WORD;

/** True when the whole body was read: its spans are rows, its bad ones refused. */
export function readQuickJson(bytes: Uint8Array, request: RequestBuilder): boolean {
  const frame = new Frame(bytes, request);
  const end = frame.body();
  return end >= 0 && end === bytes.length;
}

class Frame {
  readonly #scanner = new JsonScanner();
  readonly #request: RequestBuilder;
  #resourceSchemaUrl = '';
  #scopeSchemaUrl = '';
  #said: ScopeName = { scope: '' };

  constructor(bytes: Uint8Array, request: RequestBuilder) {
    this.#request = request;
    this.#scanner.begin(bytes);
  }

  body(): number {
    const end = this.#object(this.#scanner.space(0), ['resourceSpans'], (_, at) =>
      this.#array(at, one => this.#resourceSpans(one)),
    );
    return end < 0 ? -1 : this.#scanner.space(end);
  }

  #resourceSpans(at: number): number {
    const request = this.#request;
    request.resourceIndex++;
    request.scopeIndex = request.spanIndex = -1;
    request.resource = { attributes: {} };
    this.#resourceSchemaUrl = '';
    let isBehind = false;
    return this.#object(at, ['resource', 'schemaUrl', 'scopeSpans'], (word, from) => {
      if (word === 'schemaUrl')
        return this.#schemaUrl(from, isBehind, url => (this.#resourceSchemaUrl = url));
      // Behind its spans: they would have been given to another resource.
      if (word === 'resource') return isBehind ? -1 : this.#resource(from);
      isBehind = true;
      return this.#array(from, one => this.#scopeSpans(one));
    });
  }

  #resource(at: number): number {
    const end = this.#scanner.skip(at);
    const json = end < 0 ? undefined : this.#scanner.parse(at, end);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return -1;
    try {
      const { attributes } = json as { attributes?: unknown };
      this.#request.resource = { attributes: readAttributes(attributes, 'resource.attributes') };
      return end;
    } catch (problem) {
      if (problem instanceof SpanProblem) return -1;
      throw problem;
    }
  }

  #scopeSpans(at: number): number {
    const request = this.#request;
    request.scopeIndex++;
    request.spanIndex = -1;
    this.#scopeSchemaUrl = '';
    this.#said = { scope: '' };
    let isBehind = false;
    return this.#object(at, ['scope', 'schemaUrl', 'spans'], (word, from) => {
      if (word === 'schemaUrl')
        return this.#schemaUrl(from, isBehind, url => (this.#scopeSchemaUrl = url));
      if (word === 'scope') return isBehind ? -1 : this.#scope(from);
      isBehind = true;
      request.scope = scopeText({
        ...this.#said,
        scopeSchemaUrl: this.#scopeSchemaUrl,
        resourceSchemaUrl: this.#resourceSchemaUrl,
      });
      return this.#array(from, one => this.#span(one));
    });
  }

  #scope(at: number): number {
    const end = this.#scanner.skip(at);
    const json = end < 0 ? undefined : this.#scanner.parse(at, end);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return -1;
    const said = json as { name?: unknown; version?: unknown; attributes?: unknown };
    const { name = '', version = '', attributes } = said;
    if (typeof name !== 'string' || typeof version !== 'string') return -1;
    if (name.length + version.length > TEXT_LENGTH_MAX) return -1;
    try {
      const scopeAttributes = readAttributes(attributes, 'scope.attributes');
      this.#said = { scope: name, scopeVersion: version, scopeAttributes };
      return end;
    } catch (problem) {
      if (problem instanceof SpanProblem) return -1;
      throw problem;
    }
  }

  /** Behind the spans that it is said of, one that says something is too late here. */
  #schemaUrl(at: number, isBehind: boolean, take: (url: string) => void): number {
    const end = this.#scanner.skip(at);
    const json = end < 0 ? undefined : this.#scanner.parse(at, end);
    if (typeof json !== 'string' || json.length > TEXT_LENGTH_MAX) return -1;
    if (json !== '' && isBehind) return -1;
    take(json);
    return end;
  }

  #span(at: number): number {
    const request = this.#request;
    request.spanIndex++;
    const quickEnd = request.addQuickJson(at);
    if (quickEnd >= 0) return quickEnd;
    const end = this.#scanner.skip(at);
    const json = end < 0 ? undefined : this.#scanner.parse(at, end);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return -1;
    request.add(() => readSpan(json as Readonly<Record<string, unknown>>));
    return end;
  }

  /** Calls `read` for the values of `words`; others are passed over. Twice the same word is refused. */
  #object(at: number, words: readonly Word[], read: (word: Word, at: number) => number): number {
    const scanner = this.#scanner;
    if (scanner.byte(at) !== 0x7b) return -1;
    const seen = new Set<Word>();
    let i = scanner.space(at + 1);
    if (scanner.byte(i) === 0x7d) return i + 1;
    for (;;) {
      const keyEnd = scanner.string(i);
      if (keyEnd < 0 || scanner.hasEscapes) return -1;
      const word = words.find(one => scanner.is(i + 1, keyEnd, WORD[one]));
      i = scanner.space(keyEnd + 1);
      if (scanner.byte(i) !== 0x3a) return -1;
      i = scanner.space(i + 1);
      const end = word === undefined ? this.#passOver(i) : read(word, i);
      if (end < 0 || (word !== undefined && seen.has(word))) return -1;
      if (word !== undefined) seen.add(word);
      i = scanner.space(end);
      if (scanner.byte(i) === 0x7d) return i + 1;
      if (scanner.byte(i) !== 0x2c) return -1;
      i = scanner.space(i + 1);
    }
  }

  /** A value nobody asked for: it still has to be JSON. */
  #passOver(at: number): number {
    const end = this.#scanner.skip(at);
    return end >= 0 && this.#scanner.parse(at, end) !== undefined ? end : -1;
  }

  #array(at: number, read: (at: number) => number): number {
    const scanner = this.#scanner;
    if (scanner.byte(at) !== 0x5b) return -1;
    let i = scanner.space(at + 1);
    if (scanner.byte(i) === 0x5d) return i + 1;
    for (;;) {
      const end = read(i);
      if (end < 0) return -1;
      i = scanner.space(end);
      if (scanner.byte(i) === 0x5d) return i + 1;
      if (scanner.byte(i) !== 0x2c) return -1;
      i = scanner.space(i + 1);
    }
  }
}
