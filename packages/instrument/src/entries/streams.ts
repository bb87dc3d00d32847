// `@framescope/instrument/streams`: Node streams.

export { ByteLink } from '../platform/node/byte-link.ts';
export { markedHop, markReadable, PCM16, type SampleFormat } from '../platform/node/streams.ts';
