/** What the server needs of every open connection, whatever its protocol. */

export interface Connection {
  /**
   * The connection has output that its peer's windows and its socket would take. Between two turns of the
   * reactor it must have none.
   */
  readonly isUnsent: boolean;
  /** Accepts no new requests; open ones finish, then the connection ends. */
  drain(): void;
  /** Waits for nothing more: the connection ends as soon as its output has been written. */
  finish(): void;
  /** Ends the connection at once, together with everything open. */
  destroy(): void;
  /** Called about once a second; checks the deadlines. */
  tick(nowMs: number): void;
}
