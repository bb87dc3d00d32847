// What crosses a boundary in Framescope: units, IDs, hops, attribute names,
// the codecs of records, anchors and sketches, and the types of the query API.

export {
  anchorFromText,
  anchorLength,
  anchorToText,
  decodeAnchor,
  encodeAnchor,
  type Anchor,
  type AnchorEcho,
} from './anchor.ts';
export {
  ATTR,
  ATTRIBUTE_TABLE,
  SCOPE_NAME,
  SPAN,
  STAGE,
  type AttributeInfo,
  type AttributePlace,
} from './attributes.ts';
export { bestCovered } from './best-covered.ts';
export { base64Length, fromBase64, toBase64 } from './base64.ts';
export { BASELINE_WEIGHT, isBaselineTick } from './baseline.ts';
export { hexInto, toHex } from './hex.ts';
export { ByteWriter } from './bytes.ts';
export { crc32 } from './crc32.ts';
export type {
  ClockDomainId,
  ClockSample,
  FrameBlock,
  FrameRecord,
  HopColumn,
  HopName,
  LateMark,
  MediaRange,
} from './frame-block.types.ts';
export {
  HOP,
  hopCode,
  hopOfCode,
  ROLE,
  roleCode,
  roleOfCode,
  type StandardHop,
  type StandardRole,
} from './hops.ts';
export { hopKey, hopPath, parseHopKey, type HopPlace } from './hop-key.ts';
export {
  clockDomainOf,
  frameSpanId,
  ID_KIND,
  recordSpanId,
  sessionKey,
  sessionStartSpanId,
  sessionTraceId,
  traceparent,
  turnSpanId,
  turnTraceId,
  type SpanId,
  type TraceId,
} from './ids.ts';
export { decodeSpanId, decodeTraceId } from './ids-decode.ts';
export { lowest, tickOfSample, type Segment } from './lineage.ts';
export {
  decodeLoad,
  encodeLoad,
  LOAD_PIECES_MAX,
  LOAD_SPAN,
  QUEUES_MAX,
  type LoadFigures,
  type LoadPiece,
} from './load.ts';
export { completeFilter, type FilterCompletion } from './filter-complete.ts';
export {
  FILTER_KEYS,
  filterKeyOf,
  TURN_FEATURES,
  type FilterKeyInfo,
  type FilterKind,
  type FilterScope,
} from './filter-keys.ts';
export { asksBeyond, passesFilter, type FilterSubject, type FilterValue } from './filter-match.ts';
export {
  FILTER_LENGTH_MAX,
  parseFilter,
  type Filter,
  type FilterOp,
  type FilterResult,
  type FilterTerm,
} from './filter.ts';
export {
  MARKED_MOMENTS,
  RECORDED_MOMENTS,
  SETUP_MOMENTS,
  type MomentName,
  type SetupName,
} from './moments.ts';
export { murmur3x128 } from './murmur.ts';
export type {
  PlaceName,
  DelayFigures,
  SessionLeg,
  Handover,
  HopCut,
  BufferUse,
  StageFlow,
  VendorLeg,
  MediaLink,
  FleetLink,
  FleetVendor,
  SessionTopology,
  Places,
  Leg,
  ServedRegion,
  FleetHandover,
  Restart,
  PlaceWhatIf,
  Load,
  InstanceLoad,
  LoadCurve,
  Finding,
  Findings,
  AdviceKind,
  Advice,
  AdvicePoint,
} from './places-api.ts';
export type { BudgetInput, BudgetItem, BudgetList, Pin, PinInput } from './set-api.ts';
export { FRAME_FLAG } from './query-api.ts';
export type {
  AttributeValue,
  Attributes,
  Budget,
  ClockDetail,
  Exemplar,
  FrameCounts,
  FramesHop,
  FramesWindow,
  Heatmap,
  HeatmapGroup,
  HopDetail,
  LiveEvent,
  MeasureInfo,
  Moment,
  Page,
  Part,
  PartSplit,
  Problem,
  ProcessDetail,
  QuantileInterval,
  QuantileIntervals,
  Quantiles,
  SearchHit,
  SessionDetail,
  SessionStatus,
  SessionSummary,
  Span,
  Stage,
  StreamDetail,
  StripBar,
  Tail,
  TailItem,
  Timeline,
  TimelineHop,
  Trace,
  TraceOutline,
  TraceSummary,
  BargeInOutcome,
  Turn,
  Wait,
  WaitDefinition,
  WaitOutcome,
} from './query-api.ts';
export { changed, changeOf, type Json, type JsonObject } from './patch.ts';
export { decodeRecord, decodeRecordShared, type RecordPart } from './record-decode.ts';
export { encodeRecord, type EncodeOptions } from './record-encode.ts';
export { DEFAULT_QUANTUM_NS, RECORD_BASE64_LIMIT } from './record-format.ts';
export { EncodeTally } from './record-rows.ts';
export { decoded, rejected, type Decoded } from './result.ts';
export { bucketOf, bucketUpperNs, rankOf, Sketch, SKETCH_SCALE, SKETCH_ZERO_NS } from './sketch.ts';
export type { Recording, RecordingList } from './recordings-api.ts';
export type { ReportedWait, SourceDetail } from './sources-api.ts';
export type {
  BargeInState,
  MediaFigures,
  DerivationQuality,
  DerivationState,
  LineageState,
  MediaIntervalState,
  SegmentState,
  MomentState,
  SessionState,
  SetupState,
  StageState,
  StateMessage,
  StreamState,
  TurnChange,
  TurnOutcome,
  TurnState,
  WaitKind,
  WaitState,
  WordsState,
} from './state.ts';
export type { LineageDetail, MediaDetail } from './stream-api.ts';
export type {
  Annotation,
  AnnotationInput,
  ComparedRange,
  Comparison,
  CutOffs,
  FilterKey,
  FilterVocabulary,
  TailAttribute,
  TailDifference,
  TailPart,
  TailWhy,
  TurnsInCalls,
  WhatIf,
} from './tail-api.ts';
export { decodeTag, encodeTag, sessionCheck, TAG_BYTES, unwrapTick, type Tag } from './tag.ts';
export {
  between,
  domainNs,
  durationNs,
  NS_PER_MS,
  NS_PER_S,
  NS_PER_US,
  sessionNs,
  tick,
  ticksToNs,
  toUnixNs,
  unixNs,
  type DomainNs,
  type DurationNs,
  type SessionNs,
  type Tick,
  type UnixNs,
} from './units.ts';
export { decodeTrigger, TRIGGER_PREFIX_LENGTH, TRIGGER_REASON, type Trigger } from './trigger.ts';
export { encodeUtf8 } from './utf8.ts';
export { decodeUtf8 } from './utf8-decode.ts';
export {
  ANCHOR_VERSION,
  PROTOCOL_VERSION,
  RECORD_VERSION,
  SKETCH_VERSION,
  STATE_VERSION,
  TAG_VERSION,
} from './version.ts';
export { measureWallZero, type WallClocks, type WallZero } from './wall-zero.ts';
export { WORST_COUNT, WorstList, type Worst } from './worst-list.ts';
