// Hex, without Node or DOM.

const HEX_DIGITS = '0123456789abcdef';

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX_DIGITS[byte >> 4]! + HEX_DIGITS[byte & 15]!;
  return text;
}

/** Writes `out.length` bytes of hex; a character that is no hex digit, or is missing, counts as 0. */
export function hexInto(out: Uint8Array, text: string): Uint8Array {
  for (let i = 0; i < out.length; i++)
    out[i] = (hexDigit(text.charCodeAt(2 * i)) << 4) | hexDigit(text.charCodeAt(2 * i + 1));
  return out;
}

/** 0 to 15; 0 for what is no digit. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : 0;
}
