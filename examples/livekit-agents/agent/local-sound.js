// Frames of 10 ms, a clock in Unix nanoseconds, IDs: what the local line and services share.

export const RATE = 16_000;
export const FRAME_MS = 10;
export const FRAME_SAMPLES = (RATE * FRAME_MS) / 1_000;
export const VOICE = Int16Array.from({ length: FRAME_SAMPLES }, (_, i) =>
  Math.round(9_000 * Math.sin((2 * Math.PI * 220 * i) / RATE)),
);
export const isVoiced = frame => frame.data.subarray(1, 40).some(sample => sample !== 0);

const zeroUnixNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
export const nowUnixNs = () => zeroUnixNs + process.hrtime.bigint();

/** Writes what happened, one JSON object a line. */
export const toStdout = line => process.stdout.write(`${JSON.stringify(line)}\n`);

let count = 0;
export const newId = kind => `${kind}-${++count}`;

/** Failed requests are asked again, soon. */
export const CONNECT = { maxRetry: 3, retryIntervalMs: 100, timeoutMs: 10_000 };
