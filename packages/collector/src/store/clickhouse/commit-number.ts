// Numbers of commits: microseconds since 2020, so that those of any collector rise with time.

/** 2020-01-01 */
const ZERO_US = 1_577_836_800_000_000n;

/** Of what arrived at that time; two of one microsecond are told apart by whoever gives them. */
export const commitAt = (arrivalUnixNs: bigint): number => Number(arrivalUnixNs / 1_000n - ZERO_US);

/** What a commit of this moment would be, by the server's clock: a part of a SELECT. */
export const commitNow: string = `toUInt64(toUnixTimestamp64Micro(now64(6)) - ${ZERO_US})`;
