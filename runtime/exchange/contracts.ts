/**
 * Contracts of an exchange with its surroundings: the protocol that carries it, the party that runs its job,
 * and the destination of its route. Their types take the exchange as a parameter, so this file depends on
 * none of its parts.
 */

import type { Lane } from '../pools/lane.ts';
import type { Affinity } from './affinity.ts';
import type { Outcome, OutcomeCounters } from './outcomes.ts';

/** Where the bytes of an exchange wait at its transport. */
export interface TransportFlow {
  /** Response bytes that wait for the peer's windows, for room in the output, or for their turn. */
  readonly queuedBytes: number;
  /** Output of the connection that its socket has not accepted. */
  readonly unsentBytes: number;
  /**
   * How many bytes the peer allows the server to send, for this exchange and for the whole connection; null:
   * the protocol has no such window.
   */
  readonly peerWindowBytes: number | null;
  readonly peerConnectionWindowBytes: number | null;
  /** How many bytes the server allows the peer to send; null as above. */
  readonly windowBytes: number | null;
  readonly connectionWindowBytes: number | null;
  /** Exchanges of the connection whose responses have to leave before this one. */
  readonly earlier: number;
}

/** The protocol's side of an exchange. Calls for a stream that is over do nothing. */
export interface Transport<Exchange> {
  inform(exchange: Exchange, status: number, fields: readonly string[]): void;
  /** @param fields frozen if other responses share the list */
  respond(exchange: Exchange, status: number, fields: readonly string[], end: boolean): void;
  /**
   * The application accepts the tunnel that the request asks for. From now on `write` and `onRequestData`
   * carry its bytes.
   */
  accept(exchange: Exchange, fields: readonly string[]): void;
  /** Sends or copies the bytes before it returns. Calls `onSent` as they leave. */
  write(exchange: Exchange, bytes: Uint8Array, start: number, end: number, last: boolean): void;
  trailers(exchange: Exchange, fields: readonly string[]): void;
  reset(exchange: Exchange, code: number): void;
  /** The application has consumed this many request bytes, so the peer may send as many more. */
  consume(exchange: Exchange, bytes: number): void;
  /** Flags for OPEN: pushes and priority. Absent if the protocol has neither. */
  openFlags?(exchange: Exchange): number;
  /** RFC 9218 section 4.1. Absent if the protocol has no priorities. */
  urgencyOf?(exchange: Exchange): number;
  /**
   * Promises the response to another request.
   * @param number the thread's number for the push
   * @returns null: no push is possible now. Absent: never
   */
  push?(
    parent: Exchange,
    number: number,
    method: string,
    path: string,
    fields: readonly string[],
  ): Exchange | null;
  /** Pads everything that is sent from now on. Absent if the protocol has no padding. */
  pad?(exchange: Exchange, toMultipleOf: number): void;
  /**
   * The application will not read the rest of the request. Once the response has been sent, the peer is told
   * to stop.
   */
  stopReading(exchange: Exchange): void;
  /** The peer made the application's work on the request useless. May end the connection. */
  provoked?(exchange: Exchange): void;
  /**
   * Ends the connection after the response that follows. Absent if the connection carries several exchanges
   * at once.
   */
  closeConnection?(exchange: Exchange): void;
  /**
   * True if nothing on the server's side, neither a window nor a pause, keeps the peer from sending more of
   * the request.
   */
  letsContentCome(exchange: Exchange): boolean;
  /**
   * Response bytes that have left since some time in the past; -1 unless bytes wait for this exchange's peer
   * to read.
   */
  takenBytes(exchange: Exchange): number;
  /** For the diagnosis of stalled exchanges. Absent, or null: unknown, or the stream is over. */
  flowOf?(exchange: Exchange): TransportFlow | null;
  /**
   * An internal error occurred while the exchange was handled. Everything that shares state with the exchange
   * ends, even if it cannot be notified.
   */
  fail(exchange: Exchange, error: unknown): void;
}

/** The party that runs the jobs of exchanges: the dispatcher of a pool, or the server itself. */
export interface Taker<Job> {
  submit(job: Job): void;
  /** Takes the job back. @returns false if it has begun */
  withdraw(job: Job): boolean;
}

/** The text of a response that the server itself gives. */
export interface Explanation {
  /** Fields of the head, in pairs, with content-type. */
  readonly fields: readonly string[];
  readonly text: string;
}

/** What logs and metrics learn about an exchange that is over. */
export interface EndedExchange {
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  /** As received, with its query. */
  readonly path: string;
  readonly version: string;
  /** Empty over a Unix domain socket. */
  readonly remoteAddress: string;
  /** Names and values in pairs. */
  readonly fields: readonly string[];
  /** The response's status; 0: no head was sent. */
  readonly status: number;
  readonly receivedBytes: number;
  /** Content that the connection was given to send. */
  readonly responseBytes: number;
  /** On the reactor's clock; 0: the exchange was submitted to no pool. */
  readonly admittedAtMs: number;
  /**
   * When its thread sent the FINAL message, on the same clock; 0: it has not, or no thread had the exchange.
   */
  readonly releasedAtMs: number;
  /** Empty: it has none. */
  readonly requestId: string;
}

/** Where a route leads. */
export interface Destination<Job> {
  /** Host and path of the route, for logs; absent: no route matched. */
  readonly route?: string;
  /** Null: the request has no destination. */
  readonly dispatcher: Taker<Job> | null;
  /** Response bytes that the thread may send before the peer has taken them, at first. */
  readonly responseWindowBytes: number;
  /** The most that this may grow to while the peer takes everything. */
  readonly maxResponseWindowBytes: number;
  readonly retryAfterSeconds: number;
  /** The most content of a request; more is answered 413. Infinity: no limit. */
  readonly maxBodyBytes: number;
  /** The lowest rate of a request's content; a slower one is answered 408. 0: no limit. */
  readonly minRequestBytesPerSecond: number;
  /**
   * How long an application's code may keep a thread from its event loop; 0: for ever; absent: the pool's
   * limit.
   */
  readonly computeTimeoutMs?: number;
  /** Whether the route accepts WebSockets. */
  readonly websocket: boolean;
  /** Whether the route accepts CONNECT. */
  readonly connect: boolean;
  readonly outcomes: OutcomeCounters;
  /** Called for each exchange when it is over. */
  readonly onEnded?: (exchange: EndedExchange, outcome: Outcome) => void;
  /** The lane of its exchanges in their pool; absent: the pool's own lane. */
  readonly lane?: Lane;
  /** Absent: its exchanges go to any thread. */
  readonly affinity?: Affinity;
  /** How responses of the server itself are written; absent: as plain text. */
  readonly explain?: (status: number, reason: string) => Explanation;
}
