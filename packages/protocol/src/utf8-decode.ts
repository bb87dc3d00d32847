// UTF-8 to text by hand: malformed bytes become U+FFFD and never an exception.

const REPLACEMENT = 0xfffd;

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
