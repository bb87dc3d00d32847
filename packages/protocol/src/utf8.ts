// UTF-8 by hand: the protocol compiles with no DOM and no Node types, so there
// is no TextEncoder. A lone surrogate becomes U+FFFD, as TextEncoder does it;
// malformed bytes become U+FFFD and never an exception.

const REPLACEMENT = 0xfffd;

/** Any string to bytes; costs one array of at most three bytes a UTF-16 unit. */
export function encodeUtf8(text: string): Uint8Array {
  const out = new Uint8Array(text.length * 3);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code >= 0xd800 && code <= 0xdfff) {
      const low = code < 0xdc00 && i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
      if (low >= 0xdc00 && low <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        i++;
      } else code = REPLACEMENT;
    }
    length = writeCodePoint(out, length, code);
  }
  return out.slice(0, length);
}

function writeCodePoint(out: Uint8Array, at: number, code: number): number {
  if (code < 0x80) {
    out[at] = code;
    return at + 1;
  }
  if (code < 0x800) {
    out[at] = 0xc0 | (code >> 6);
    out[at + 1] = 0x80 | (code & 63);
    return at + 2;
  }
  if (code < 0x10000) {
    out[at] = 0xe0 | (code >> 12);
    out[at + 1] = 0x80 | ((code >> 6) & 63);
    out[at + 2] = 0x80 | (code & 63);
    return at + 3;
  }
  out[at] = 0xf0 | (code >> 18);
  out[at + 1] = 0x80 | ((code >> 12) & 63);
  out[at + 2] = 0x80 | ((code >> 6) & 63);
  out[at + 3] = 0x80 | (code & 63);
  return at + 4;
}

/** Bytes `[from, to)` to text; each byte that fits nowhere becomes one U+FFFD. */
export function decodeUtf8(bytes: Uint8Array, from = 0, to: number = bytes.length): string {
  let text = '';
  let at = from;
  while (at < to) {
    const lead = bytes[at]!;
    const size = sequenceLength(lead);
    const code = size === 1 ? lead : readSequence(bytes, at, Math.min(to, at + size), size);
    text += String.fromCodePoint(code < 0 ? REPLACEMENT : code);
    at += code < 0 ? 1 : size;
  }
  return text;
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

const SMALLEST_OF_SIZE = [0, 0, 0x80, 0x800, 0x10000] as const;

/** The code point, or −1 for anything a strict decoder refuses. */
function readSequence(bytes: Uint8Array, at: number, to: number, size: number): number {
  if (size === 0 || to - at < size) return -1;
  let code = bytes[at]! & (0x7f >> size);
  for (let i = 1; i < size; i++) {
    const next = bytes[at + i]!;
    if ((next & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (next & 63);
  }
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  return code < SMALLEST_OF_SIZE[size]! || code > 0x10ffff || isSurrogate ? -1 : code;
}
