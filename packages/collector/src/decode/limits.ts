// What one body may hold. Every limit is answered by name, so that a sender knows what to change.

/** 2^17 spans: the largest batch of any SDK is a few thousand; an OTel Collector's 8,192 by default. */
export const SPANS_PER_REQUEST_MAX: number = 1 << 17;

/** OpenTelemetry's own default is 128 attributes a span; eight times that is a mistake. */
export const ATTRIBUTES_MAX = 1_024;

/** Events or links of one span. */
export const CHILDREN_MAX = 4_096;

/** Characters of one string: a whole chat history fits, a recording does not. */
export const TEXT_LENGTH_MAX: number = 1 << 20;

/** Characters of a `session.id`. */
export const SESSION_ID_LENGTH_MAX = 10_240;

/** Arrays in arrays, lists in lists. */
export const NESTING_MAX = 16;

/** First reasons that are named in a partial success; the others are counted. */
export const REFUSALS_NAMED_MAX = 5;

/** SQLite and OTLP agree on 63 bits: 2262-04-11. */
export const UNIX_NS_MAX: bigint = 2n ** 63n - 1n;
