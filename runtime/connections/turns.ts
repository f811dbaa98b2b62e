/** The reactor's turn and its clock, as connections see them. */

/** A connection with output to write at the end of the turn. */
export interface Flushable {
  flush(): void;
  /** Set while it is on the reactor's list. */
  isDirty: boolean;
}

/** The turn that writes what engines have produced to sockets. */
export interface Turns {
  /** As of the start of the turn, or of the socket's event. */
  readonly nowMs: number;
  /** A socket or a timer has fired: time has passed since the last turn. @returns the time */
  tick(): number;
  /** There is something to publish or to receive. */
  request(): void;
  /** The connection has output. */
  flushLater(connection: Flushable): void;
}
