// Numbers as people read them: one place for how durations, times and shares look.

const MS = 1e6;
const SECOND = 1e9;

/** `0.42 ms`, `38 ms`, `951 ms`, `1.27 s`, `2:05`. */
export function duration(ns: number | null | undefined): string {
  if (ns === null || ns === undefined) return '–';
  const size = Math.abs(ns);
  const sign = ns < 0 ? '−' : '';
  if (size === 0) return '0 ms';
  if (size < 999_500)
    return `${sign}${size < 10_000 ? (size / 1e3).toFixed(1) : Math.round(size / 1e3)} µs`;
  if (size < 9.95 * MS) return `${sign}${(size / MS).toFixed(1)} ms`;
  if (size < 999.5 * MS) return `${sign}${Math.round(size / MS)} ms`;
  if (size < 99.5 * SECOND) return `${sign}${(size / SECOND).toFixed(2)} s`;
  return `${sign}${clock(size)}`;
}

/** A whole number of milliseconds with its thousands parted; one decimal below 10. */
export function ms(ns: number | null | undefined): string {
  if (ns === null || ns === undefined) return '–';
  const value = ns / MS;
  const text = Math.abs(value) < 9.95 && value !== 0 ? value.toFixed(1) : count(Math.round(value));
  return text.replace('-', '−');
}

/** `2:05`, `1:02:05`: how far into a call. */
export function clock(ns: number): string {
  const total = Math.max(0, Math.round(ns / SECOND));
  const seconds = String(total % 60).padStart(2, '0');
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}`
    : `${minutes}:${seconds}`;
}

/** `1:23.456`: a moment of a call, to the millisecond. */
export function moment(ns: number): string {
  const whole = Math.floor(ns / MS);
  const sign = whole < 0 ? '−' : '';
  const size = Math.abs(whole);
  return `${sign}${clock(Math.floor(size / 1000) * SECOND)}.${String(size % 1000).padStart(3, '0')}`;
}

/** `16 kHz`, `44.1 kHz`. */
export const kilohertz = (hertz: number): string => `${Number((hertz / 1000).toFixed(2))} kHz`;

/** `1,033`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `98 %`, `0.4 %`, never `0 %` for something or `100 %` for not all. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (part / whole) * 100;
  if (percent > 0 && percent < 0.1) return '<0.1 %';
  if (percent < 10) return `${percent === 0 ? 0 : percent.toFixed(1)} %`;
  if (percent < 100 && percent > 99) return `${Math.floor(percent * 10) / 10} %`;
  return `${Math.round(percent)} %`;
}

/** Unix nanoseconds in a string as milliseconds; enough for a clock on a wall. */
export const unixMs = (unixNs: string): number => Number(BigInt(unixNs) / 1_000_000n);

const TIME = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** `14:03:09`, with the day when it is not today's. */
export function wallTime(unixNs: string, nowMs: number): string {
  const at = new Date(unixMs(unixNs));
  const isToday = DAY.format(at) === DAY.format(new Date(nowMs));
  return isToday ? TIME.format(at) : `${DAY.format(at)} ${TIME.format(at)}`;
}

/** `12 s ago`, `4 min ago`, `3 h ago`, `2 d ago`. */
export function ago(unixNs: string, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - unixMs(unixNs)) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** `endpointing+inference` → `endpointing + inference`; `jitter_buffer` → `jitter buffer`. */
export const words = (name: string): string => name.replaceAll('_', ' ').replaceAll('+', ' + ');

export const plural = (n: number, one: string): string => `${count(n)} ${one}${n === 1 ? '' : 's'}`;
