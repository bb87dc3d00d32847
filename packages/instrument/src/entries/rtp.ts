// `@framescope/instrument/rtp`: context on RTP between endpoints of our own.

export type { AnchorOptions } from '../transport/anchor-exchange.ts';
export {
  RtpLink,
  type RtpLinkOptions,
  type RtpPacketFacts,
  type RtpPlace,
} from '../transport/rtp.ts';
export {
  decodeHeaderExtensions,
  encodeHeaderExtensions,
  extensionIdIn,
  extmapLines,
  RTP_EXTENSION_URI,
  RTP_PROFILE,
  type HeaderExtension,
  type HeaderExtensionBlock,
} from '../transport/rtp-extension.ts';
