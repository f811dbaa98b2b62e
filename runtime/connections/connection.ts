/** What the server keeps of every open connection, whatever it speaks. */

export interface Connection {
  /** No new requests; what is open finishes, then the connection ends. */
  drain(): void;
  /** At once, with whatever is open. */
  destroy(): void;
  /** Called about once a second: deadlines. */
  tick(nowMs: number): void;
}
