// `@framescope/instrument/streams`: Node streams.

export { ByteLink } from '../platform/node/byte-link.ts';
export { PCM16, type SampleFormat } from '../adapters/common/sample-format.ts';
export { markedHop, markReadable } from '../platform/node/streams.ts';
