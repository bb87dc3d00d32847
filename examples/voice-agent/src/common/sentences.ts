// Gathers tokens into sentences: a synthesiser needs the end of a sentence to
// get its melody right. What this costs is the ledger's part `aggregation`.

/** A sentence ends at . ! or ? (with closing quotes) before a space. */
const SENTENCE = /^(.+?[.!?]["'”’)]*)\s+/s;

export class SentenceAggregator {
  #text = '';

  /** Adds a token; returns the sentences it completed. */
  push(token: string): string[] {
    this.#text += token;
    const sentences: string[] = [];
    for (let match = SENTENCE.exec(this.#text); match !== null; match = SENTENCE.exec(this.#text)) {
      sentences.push((match[1] ?? '').trim());
      this.#text = this.#text.slice(match[0].length);
    }
    return sentences;
  }

  /** What is left when the model has finished, or undefined. */
  flush(): string | undefined {
    const rest = this.#text.trim();
    this.#text = '';
    return rest === '' ? undefined : rest;
  }
}

/** All sentences of a finished text. */
export function sentencesOf(text: string): string[] {
  const aggregator = new SentenceAggregator();
  const sentences = aggregator.push(text);
  const rest = aggregator.flush();
  return rest === undefined ? sentences : [...sentences, rest];
}
