// Versions of what crosses a boundary. Each layout has a number of its own in
// its bytes; PROTOCOL_VERSION rises whenever any of them, the code tables or
// the attribute names change, and a test that hashes them notices.
//
// History
//   1  first: records, anchors, tags, sketches, live state, clock samples
//   2  stored log records and pending spans; attributes of forwarded spans
//   3  records 2: compact columns and coded blocks; records 1 are read as before
//   4  attributes of promoted frames
//   5  triggers and dumps of the flight recorder
//   6  records 3: short columns, usual blocks, the row before the last one; 1 and 2 are read as before
//   7  load of a process
//   8  live state 2: turns as what changed; 1 is read as before
//   9  live state: how a call came about; jitter; what is known of a service that a stage asked

/** Rises with any change of what is sent or stored. */
export const PROTOCOL_VERSION = 9;

/** Byte 2 of a record that is written. */
export const RECORD_VERSION = 3;
/** The oldest that is still read. */
export const RECORD_VERSION_MIN = 1;
/** Byte 2 of an anchor. */
export const ANCHOR_VERSION = 1;
/** The top two bits of a tag. */
export const TAG_VERSION = 1;
/** First byte of a stored sketch. */
export const SKETCH_VERSION = 1;
/** Highest `v` of a StateMessage. */
export const STATE_VERSION = 2;
