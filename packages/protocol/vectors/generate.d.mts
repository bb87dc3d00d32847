// Types of generate.mjs, for the test that runs it.

export function makeVectors(protocol: unknown): Record<string, unknown>;
export function recordAsJson(record: unknown): unknown;

export function withAttributeTable(protocol: unknown, document: string): string;
