// When the event loop of a program was held up, by itself or by the machine: as stalls.py.

const PERIOD_MS = 2;
const GAP_NS = 3_500_000n;

/** Watches from now on. @returns {[fromUnixNs: string, toUnixNs: string][]} grows */
export function watchStalls(nowUnixNs) {
  const gaps = [];
  let before = nowUnixNs();
  const tick = () => {
    const now = nowUnixNs();
    if (now - before > GAP_NS) gaps.push([String(before), String(now)]);
    before = now;
    setTimeout(tick, PERIOD_MS).unref();
  };
  tick();
  return gaps;
}
