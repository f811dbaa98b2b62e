/** Types of an exchange in flight, as JSON. docs/admin.md explains the members. */

/** Whom an exchange waits for. */
export const Waits = {
  /** The client: it sends no more, or reads no more. */
  Peer: 'peer',
  /** A thread that computes, or waits within a call. Its ring may be full because of that. */
  Thread: 'thread',
  /** A place in the pool: no thread has room. */
  Pool: 'pool',
  /** Other exchanges of the same route: `maxConcurrent` of them are with the pool. */
  Route: 'route',
  /** The application, which computes nothing: it awaits something of its own, or does not read. */
  Application: 'application',
  /** An actor that the thread has asked. */
  Actor: 'actor',
  /** Others on the same connection: an earlier response, or a window that all of them share. */
  Connection: 'connection',
} as const;
export type Waits = (typeof Waits)[keyof typeof Waits];

export interface WaitView {
  readonly who: Waits;
  /** Its name: an address, a thread, a pool, a route, an actor. */
  readonly name: string;
  /** For a person. */
  readonly why: string;
}

export interface ExchangeView {
  /** Unique in this process, and constant while the exchange lasts. */
  readonly id: number;
  /** As in the log; empty if it has none. */
  readonly requestId: string;
  readonly pool: string | null;
  readonly route: string | null;
  readonly method: string;
  /** Without its query; 256 characters at most. */
  readonly path: string;
  readonly protocol: string;
  /** Empty over a Unix domain socket. */
  readonly peer: string;
  /**
   * `held`: its route has `maxConcurrent` exchanges with the pool. `queued`: no thread has room. `given`: a thread has it but has not begun it.
   * `running`. `left`: the client has its response or is gone, and the application continues. `answering`: the application is done and the response
   * is leaving.
   */
  readonly state: 'held' | 'queued' | 'given' | 'running' | 'left' | 'answering';
  readonly ageMs: number;
  /** Null: none has it. */
  readonly thread: string | null;
  /** Of the response; null before it has begun. */
  readonly status: number | null;
  readonly request: {
    /** The peer has sent all of it. */
    readonly whole: boolean;
    readonly receivedBytes: number;
    /** Received, and not asked for by the application. */
    readonly waitingBytes: number;
    /** Sent to the thread, and not consumed by the application. */
    readonly unreadBytes: number;
    /** What the application would accept now. */
    readonly creditBytes: number;
    /** What the peer may send now; null over HTTP/1.1, or before the first content. */
    readonly windowBytes: number | null;
  };
  readonly response: {
    /** What the application has sent, and how much of it the socket has accepted. */
    readonly bytes: number;
    readonly sentBytes: number;
    /** Waiting in the server for the peer's windows, the socket or its turn. */
    readonly waitingBytes: number;
    /** How far the application may be ahead of the peer. */
    readonly windowBytes: number | null;
    /** What the peer allows the server to send, for this exchange and for the whole connection; null over HTTP/1.1. */
    readonly peerWindowBytes: number | null;
    readonly peerConnectionWindowBytes: number | null;
    /** Total time that the application has waited for credit. */
    readonly stalledMs: number;
  };
  readonly waitsFor: WaitView;
}

export interface ExchangesView {
  /** How many exchanges match the query. */
  readonly total: number;
  /** Whether there were too many to look at all of them. */
  readonly isCut: boolean;
  /** Oldest first. */
  readonly exchanges: readonly ExchangeView[];
}
