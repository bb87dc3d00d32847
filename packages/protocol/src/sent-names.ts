// Names of what records, load and the flight recorder say: a module of their own, since a
// page loads what writes them after the rest, and bundlers move modules and not constants.

export const clockDomain = 'framescope.clock.domain';
export const clockEpoch = 'framescope.clock.epoch';
export const clockZeroUnixNs = 'framescope.clock.zero_unix_ns';
export const producer = 'framescope.producer';
export const seq = 'framescope.seq';
export const record = 'framescope.record';
export const state = 'framescope.state';
export const frameLost = 'framescope.frame.lost';
export const sampleWeight = 'framescope.sample.weight';
export const frameHop = 'framescope.frame.hop';
export const frameTick = 'framescope.frame.tick';
export const framePromoted = 'framescope.frame.promoted';
export const flightId = 'framescope.flight.id';
export const flightReason = 'framescope.flight.reason';
export const flightStream = 'framescope.flight.stream';
export const flightFromTick = 'framescope.flight.from_tick';
export const flightToTick = 'framescope.flight.to_tick';
export const flightData = 'framescope.flight.data';
export const load = 'framescope.load';
