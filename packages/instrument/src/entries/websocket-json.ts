// `@framescope/instrument/websocket-json`: context in JSON messages of your own.

export { JsonLink, type ContextField } from '../transport/json-link.ts';
export type { AnchorOptions } from '../transport/anchor-exchange.ts';
