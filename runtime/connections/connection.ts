/** What the server keeps of every open connection, whatever it speaks. */

export interface Connection {
  /** It has output that its peer's windows and its socket would take: so between two turns of the reactor it has none. */
  readonly isUnsent: boolean;
  /** No new requests; what is open finishes, then the connection ends. */
  drain(): void;
  /** Nothing is waited for any more: it ends as soon as what it has to say has been written. */
  finish(): void;
  /** At once, with whatever is open. */
  destroy(): void;
  /** Called about once a second: deadlines. */
  tick(nowMs: number): void;
}
