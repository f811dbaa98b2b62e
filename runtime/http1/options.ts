import type { ChunkLimit } from './chunk-budget.ts';

/** As Node's, where nothing else is said. */
export const DEFAULT_KEEP_ALIVE_TIMEOUT_MS = 5_000;

/** What bounds an HTTP/1 connection. The configuration's `http1` section has the same names and the defaults. */
export interface Http1Options {
  /** Bytes of a request target; a longer one is answered 414 (RFC 9112 section 3). */
  readonly maxTargetBytes: number;
  /** Bytes of the target, and of the fields with the colon, space and line end of each; more is answered 431. */
  readonly maxHeaderBytes: number;
  /** Lines of a header or trailer section; more is answered 431 (RFC 6585 section 5). */
  readonly maxFieldLines: number;
  /** Requests of one connection; the response to the last says `Connection: close`. */
  readonly maxRequestsPerConnection: number;
  /** Requests taken from a connection ahead of their answers; further ones are not taken, and the connection ends. */
  readonly maxPipelinedRequests: number;
  /** Of these, how many run at the same time while all are safe (RFC 9112 section 9.3.2). */
  readonly maxParallelRequests: number;
  /** When more than this is left of a request that nobody reads, its response says `Connection: close`. */
  readonly maxDiscardedBytes: number;
  /** Chunks with less than four bytes of content on average; more are answered 400. */
  readonly smallChunks: ChunkLimit;
  /** How long a body may be read past that nobody wants, so that the connection can be used again. */
  readonly discardTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Whether a request without content may change the connection to HTTP/2 (RFC 7540 section 3.2). */
  readonly upgradeH2c: boolean;
  /** From the first byte of a head to its last; then 408. */
  readonly headerTimeoutMs: number;
  /** Request bytes kept for an owner that does not read, to begin with. */
  readonly requestWindowBytes: number;
  /** What that grows to while the owner keeps up. */
  readonly maxRequestWindowBytes: number;
  /** Output that the socket has not taken at which content waits in the queues of its responses. */
  readonly outputLimitBytes: number;
}
