// Server-sent events from bytes: a parser that can be cut anywhere.

export interface ServerEvent {
  readonly id: string | undefined;
  readonly data: string;
}

/** Feed it text as it comes; it hands out whole events. */
export class EventStreamParser {
  #rest = '';
  #data: string[] = [];
  #id: string | undefined;

  push(text: string): ServerEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    return lines.flatMap(line => this.#take(line));
  }

  #take(line: string): ServerEvent[] {
    if (line === '') return this.#dispatch();
    if (line.startsWith(':')) return [];
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'id') this.#id = value;
    return [];
  }

  #dispatch(): ServerEvent[] {
    const data = this.#data.join('\n');
    const event = { id: this.#id, data };
    this.#data = [];
    return data === '' ? [] : [event];
  }
}
