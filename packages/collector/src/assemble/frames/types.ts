// What joining makes of marks: one hop's frames on session time, each with its
// latency and its class. Charts, rollups and pictures all read this one shape.

/** One hop of one stream; columns of one length, ascending by `startTick`. */
export interface JoinedHop {
  /** `mic.agent/receive`, with `#2` and `@instance` where needed: unique in the session. */
  readonly key: string;
  /** `frame.` and the key without its instance. */
  readonly measure: string;
  readonly stream: string;
  readonly direction: 'up' | 'down';
  readonly length: number;
  readonly startTick: Float64Array;
  readonly endTick: Float64Array;
  /** When the frame left this hop: `SessionNs`, corrected. */
  readonly atNs: Float64Array;
  /** Against the media schedule (up), since the stream's first hop (down); `DurationNs`. */
  readonly latencyNs: Float64Array;
  /** `FRAME_FLAG` bits. `lost`: this was the last hop that saw the frame. */
  readonly flags: Uint8Array;
  /** Frames that the hop before passed and this one never did, with when they were given up. */
  readonly missing: MissingFrames;
  /** How wrong a latency here may be by the clocks. 0: all of it was read on one clock. */
  readonly errorNs: number;
  /** Corrected minus raw, at the middle of the window. */
  readonly rawShiftNs: number;
}

export interface MissingFrames {
  readonly length: number;
  readonly startTick: Float64Array;
  readonly endTick: Float64Array;
  /** `SessionNs`. */
  readonly atNs: Float64Array;
}
