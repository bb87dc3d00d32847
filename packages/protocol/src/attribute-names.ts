// Attribute names by the word code uses for them: `ATTR.sessionId`. One constant
// each, so that a page carries only those that it writes.

export {
  clockDomain,
  clockEpoch,
  clockZeroUnixNs,
  producer,
  seq,
  record,
  state,
  frameLost,
  sampleWeight,
  frameHop,
  frameTick,
  framePromoted,
  flightId,
  flightReason,
  flightStream,
  flightFromTick,
  flightToTick,
  flightData,
  load,
} from './sent-names.ts';

export const serviceName = 'service.name';
export const serviceInstanceId = 'service.instance.id';
export const hostName = 'host.name';
export const cloudRegion = 'cloud.region';
export const cloudZone = 'cloud.availability_zone';
export const sessionId = 'session.id';
export const recordPart = 'framescope.record.part';
export const frameCount = 'framescope.frame.count';
export const turnTick = 'framescope.turn.tick';
export const turnStream = 'framescope.turn.stream';
export const turnState = 'framescope.turn.state';
export const stageFirstNs = 'framescope.stage.first_ns';
export const stageGeneration = 'framescope.stage.generation';
export const stageDiscarded = 'framescope.stage.discarded';
export const truncated = 'framescope.truncated';
export const adjusted = 'framescope.adjusted';
export const vendorName = 'framescope.vendor.name';
export const vendorRttNs = 'framescope.vendor.rtt_ns';
export const vendorConnectNs = 'framescope.vendor.connect_ns';
export const vendorQueueNs = 'framescope.vendor.queue_ns';
export const vendorProcessingNs = 'framescope.vendor.processing_ns';
export const synthetic = 'framescope.synthetic';
export const log = 'framescope.log';
export const logBody = 'framescope.log.body';
export const pending = 'framescope.pending';
export const clockOffsetNs = 'framescope.clock.offset_ns';
export const clockErrorNs = 'framescope.clock.error_ns';
export const waitKind = 'framescope.wait.kind';
export const waitNs = 'framescope.wait_ns';
export const waitErrorNs = 'framescope.wait.error_ns';
export const waitDefinition = 'framescope.wait.definition';
export const waitOutcome = 'framescope.wait.outcome';
export const waitResolved = 'framescope.wait.resolved';
export const partNs = 'framescope.part.*_ns';
export const turnFrames = 'framescope.turn.frames';
export const turnFramesOverBudget = 'framescope.turn.frames.over_budget';
export const turnFramesLost = 'framescope.turn.frames.lost';
export const turnFramesWorstNs = 'framescope.turn.frames.worst_ns';
