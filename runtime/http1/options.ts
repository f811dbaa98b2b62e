import type { ChunkLimit } from './chunk-budget.ts';

/** Node's value, unless something else is configured. */
export const DEFAULT_KEEP_ALIVE_TIMEOUT_MS = 5_000;

/**
 * The limits of an HTTP/1 connection. The configuration's `http1` section has the same names and the
 * defaults.
 */
export interface Http1Options {
  /** Most bytes of a request target; a longer one is answered 414 (RFC 9112 section 3). */
  readonly maxTargetBytes: number;
  /**
   * Most bytes of the target and of the fields together, with the colon, space and line end of each field;
   * more are answered 431.
   */
  readonly maxHeaderBytes: number;
  /** Most lines of a header or trailer section; more are answered 431 (RFC 6585 section 5). */
  readonly maxFieldLines: number;
  /** Most requests of one connection; the response to the last says `Connection: close`. */
  readonly maxRequestsPerConnection: number;
  /**
   * Most requests accepted from a connection ahead of their responses. Further ones are not accepted, and the
   * connection ends.
   */
  readonly maxPipelinedRequests: number;
  /** Of these, how many may run at the same time while all are safe (RFC 9112 section 9.3.2). */
  readonly maxParallelRequests: number;
  /** If more than this is left of a request that is not read, its response says `Connection: close`. */
  readonly maxDiscardedBytes: number;
  /** Chunks with less than four bytes of content on average; too many are answered 400. */
  readonly smallChunks: ChunkLimit;
  /** How long the rest of an unwanted body may take, so that the connection can be used again. */
  readonly discardTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** How long complete requests of a client that has sent its FIN may wait for their responses to begin. */
  readonly halfCloseTimeoutMs: number;
  /** Whether a request without content may change the connection to HTTP/2 (RFC 7540 section 3.2). */
  readonly upgradeH2c: boolean;
  /** From the first byte of a head to its last; after that, 408. */
  readonly headerTimeoutMs: number;
  /** Request bytes held for an owner that does not read: the initial limit. */
  readonly requestWindowBytes: number;
  /** The limit that this grows to while the owner keeps up. */
  readonly maxRequestWindowBytes: number;
  /** When the socket has not taken this much output, content waits in the queues of its responses. */
  readonly outputLimitBytes: number;
}
