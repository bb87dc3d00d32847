/** A client that is being followed; it needs no attention. */
export interface AdapterTrace {
  /** Stops following and puts the client back as it was. Again: nothing. */
  stop(): void;
}
