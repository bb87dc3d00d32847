// A figure of the system that costs more to ask for than a request does.

/** Asked for at most five times a second. */
const FRESH_MS = 200;

export function sampled(read: () => number, nowMs: () => number): () => number {
  let value = 0;
  let atMs = -Infinity;
  return () => {
    if (nowMs() - atMs < FRESH_MS) return value;
    atMs = nowMs();
    return (value = read());
  };
}
