/**
 * What stands around an exchange: the protocol that carries it, who runs it, and where its route leads. An exchange is theirs to name:
 * these are contracts, and know none of its parts.
 */

import type { Lane } from '../pools/lane.ts';
import type { Affinity } from './affinity.ts';
import type { Outcome, OutcomeCounters } from './outcomes.ts';

/** What holds an exchange back at its transport. */
export interface TransportFlow {
  /** Response bytes that wait for the peer's windows, for room in the output or for their turn. */
  readonly queuedBytes: number;
  /** Of the connection: output that its socket has not taken. */
  readonly unsentBytes: number;
  /** What the peer lets us send, of this exchange and of all on the connection; null: its protocol has no such window. */
  readonly peerWindowBytes: number | null;
  readonly peerConnectionWindowBytes: number | null;
  /** What we let the peer send; null as above. */
  readonly windowBytes: number | null;
  readonly connectionWindowBytes: number | null;
  /** Exchanges of the connection whose responses have to leave before this one's. */
  readonly earlier: number;
}

/** The protocol's side of an exchange. A call for a stream that is over does nothing. */
export interface Transport<Exchange> {
  inform(exchange: Exchange, status: number, fields: readonly string[]): void;
  /** @param fields frozen where other responses have the same. */
  respond(exchange: Exchange, status: number, fields: readonly string[], end: boolean): void;
  /** The tunnel that the request asks for is accepted: from now on `write` and `onRequestData` carry its bytes. */
  accept(exchange: Exchange, fields: readonly string[]): void;
  /** Takes the bytes, or a copy of them, before it returns. Tells `onSent` as they leave. */
  write(exchange: Exchange, bytes: Uint8Array, start: number, end: number, last: boolean): void;
  trailers(exchange: Exchange, fields: readonly string[]): void;
  reset(exchange: Exchange, code: number): void;
  /** The application has consumed so many request bytes: the peer may send as many more. */
  consume(exchange: Exchange, bytes: number): void;
  /** Flags for OPEN: pushes and priority. Absent where the protocol has neither. */
  openFlags?(exchange: Exchange): number;
  /** RFC 9218 section 4.1. Absent where the protocol has none. */
  urgencyOf?(exchange: Exchange): number;
  /** Promises the response to another request; null, or absent: there can be none now. `number` is the thread's. */
  push?(
    parent: Exchange,
    number: number,
    method: string,
    path: string,
    fields: readonly string[],
  ): Exchange | null;
  /** Pads what is sent from now on; absent where the protocol has no padding. */
  pad?(exchange: Exchange, toMultipleOf: number): void;
  /** Nobody will read the rest of the request: once the response is out, the peer is told to stop. */
  stopReading(exchange: Exchange): void;
  /** The application's work on the request was wasted, and the peer is to blame. May end the connection. */
  provoked?(exchange: Exchange): void;
  /** The connection is to end behind the response that follows. Absent where it carries others beside it. */
  closeConnection?(exchange: Exchange): void;
  /** The server does not keep the peer from sending more of the request, neither by a window nor by a pause. */
  letsContentCome(exchange: Exchange): boolean;
  /** Response bytes that have left since some time in the past; -1 unless bytes wait for this exchange's peer to read. */
  takenBytes(exchange: Exchange): number;
  /** For whoever looks at what stands still; absent, or null: nothing is known, or its stream is over. */
  flowOf?(exchange: Exchange): TransportFlow | null;
  /** An error of ours while something was done for the exchange: whatever shares state with it ends, told or not. */
  fail(exchange: Exchange, error: unknown): void;
}

/** Who runs the jobs of exchanges: a pool's dispatcher, or the server itself. */
export interface Taker<Job> {
  submit(job: Job): void;
  /** Takes the job back, unless it has been begun: then false. */
  withdraw(job: Job): boolean;
}

/** An answer of the server's own. */
export interface Explanation {
  /** Of the head, content-type among them, in pairs. */
  readonly fields: readonly string[];
  readonly text: string;
}

/** Of an exchange that is over, what can be told. */
export interface EndedExchange {
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  /** With its query, as it came. */
  readonly path: string;
  readonly version: string;
  /** Empty over a Unix domain socket. */
  readonly remoteAddress: string;
  /** In pairs. */
  readonly fields: readonly string[];
  /** Of the response's head; 0: there was none. */
  readonly status: number;
  readonly receivedBytes: number;
  /** Content that the connection was given to send. */
  readonly responseBytes: number;
  /** On the reactor's clock; 0: no pool was asked to run it. */
  readonly admittedAtMs: number;
  /** When its thread had said its last word, on the same clock; 0: it has not, or there was none. */
  readonly releasedAtMs: number;
  /** Empty: it has none. */
  readonly requestId: string;
}

/** Where a route leads. */
export interface Destination<Job> {
  /** Host and path of the route, for people; absent: it has none. */
  readonly route?: string;
  /** Null: nowhere. */
  readonly dispatcher: Taker<Job> | null;
  /** Response bytes that the thread may have sent and the peer not taken, to begin with. */
  readonly responseWindowBytes: number;
  /** What that may grow to while the peer takes all of it. */
  readonly maxResponseWindowBytes: number;
  readonly retryAfterSeconds: number;
  /** Content of a request; more is answered 413. Infinity: any. */
  readonly maxBodyBytes: number;
  /** The least rate of a request's content; slower is answered 408. 0: any. */
  readonly minRequestBytesPerSecond: number;
  /** How long an application's code may keep a thread from its event loop; 0: for ever; absent: as the pool says. */
  readonly computeTimeoutMs?: number;
  /** The route takes WebSockets. */
  readonly websocket: boolean;
  /** The route takes CONNECT. */
  readonly connect: boolean;
  readonly outcomes: OutcomeCounters;
  /** Hears of each exchange when it is over; absent: nobody wants to. */
  readonly onEnded?: (exchange: EndedExchange, outcome: Outcome) => void;
  /** What its exchanges have in common for their pool; absent: nothing but the pool. */
  readonly lane?: Lane;
  /** Absent: any thread is as good as another. */
  readonly affinity?: Affinity;
  /** How the server's own answers are written; absent: as plain text. */
  readonly explain?: (status: number, reason: string) => Explanation;
}
