// Text to UTF-8 by hand: the protocol compiles with no DOM and no Node types, so
// there is no TextEncoder. A lone surrogate becomes U+FFFD, as TextEncoder does it.

const REPLACEMENT = 0xfffd;

/** Any string to bytes; costs one array of at most three bytes a UTF-16 unit. */
export function encodeUtf8(text: string): Uint8Array {
  const out = new Uint8Array(text.length * 3);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let code = text.codePointAt(i)!;
    if (code < 0x80) {
      out[length++] = code;
      continue;
    }
    if (code > 0xffff) i++;
    else if (code >= 0xd800 && code <= 0xdfff) code = REPLACEMENT;
    const more = code < 0x800 ? 1 : code > 0xffff ? 3 : 2;
    // Ones for each byte of it, then a zero: 0xc0, 0xe0, 0xf0.
    out[length++] = (-128 >> more) | (code >> (6 * more));
    for (let shift = 6 * (more - 1); shift >= 0; shift -= 6)
      out[length++] = 0x80 | ((code >> shift) & 63);
  }
  return out.slice(0, length);
}
