// What is answered about recordings of a session.

/** Sound of a session, as it was uploaded (`--recordings keep`). */
export interface Recording {
  readonly id: string;
  /** Path of the file on the collector; takes byte ranges. */
  readonly url: string;
  readonly source: 'livekit';
  /** `audio/ogg` for Ogg Opus. */
  readonly contentType: string;
  readonly bytes: number;
  /** Session time of the first sample; null: the uploader did not say. */
  readonly startNs: number | null;
  readonly startUnixNs: string | null;
  /** Null where the file could not be read. */
  readonly durationNs: number | null;
  /** 2 from LiveKit: left the user, right the agent. */
  readonly channels: number | null;
  readonly sampleRate: number | null;
  readonly receivedUnixNs: string;
}

export interface RecordingList {
  readonly items: readonly Recording[];
}
