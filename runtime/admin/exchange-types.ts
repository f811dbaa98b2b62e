/** The picture of an exchange in flight: JSON. docs/control-socket.md has it in tables. Types only. */

/** Whom an exchange waits for. */
export const Waits = {
  /** The client: it sends nothing more, or takes nothing more. */
  Peer: 'peer',
  /** A thread that computes, or waits within a call; its ring may be full for that. */
  Thread: 'thread',
  /** A place in the pool: no thread has room. */
  Pool: 'pool',
  /** Others of the same route: as many as `maxConcurrent` allows are with the pool. */
  Route: 'route',
  /** The application, which computes nothing: it awaits something of its own, or does not read. */
  Application: 'application',
  /** An answer of an actor, which the thread has asked. */
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
  /** Of this process, and the same in every answer as long as the exchange lasts. */
  readonly id: number;
  /** As in the log; empty: it has none. */
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
   * `held`: its route has as many with the pool as it may. `queued`: no thread has room. `given`: a thread has it and has not begun. `running`.
   * `left`: its client has what it wanted, or is gone, and the application goes on. `answering`: the application is done, and the response leaves.
   */
  readonly state: 'held' | 'queued' | 'given' | 'running' | 'left' | 'answering';
  readonly ageMs: number;
  /** Null: none has it. */
  readonly thread: string | null;
  /** Of the response; null: none has begun. */
  readonly status: number | null;
  readonly request: {
    /** The peer has sent all of it. */
    readonly whole: boolean;
    readonly receivedBytes: number;
    /** It has come, and the application has not asked for it. */
    readonly waitingBytes: number;
    /** It is with the thread, and the application has not consumed it. */
    readonly unreadBytes: number;
    /** The application would take so much more now. */
    readonly creditBytes: number;
    /** What the server lets the peer send; null: HTTP/1.1, or nothing has come. */
    readonly windowBytes: number | null;
  };
  readonly response: {
    /** What the application has sent, and what of it the socket has been given. */
    readonly bytes: number;
    readonly sentBytes: number;
    /** It waits in the server for the peer's windows, for the socket or for its turn. */
    readonly waitingBytes: number;
    /** What the application may have sent and the peer not taken. */
    readonly windowBytes: number | null;
    /** What the peer lets the server send, of this exchange and on the whole connection; null: HTTP/1.1. */
    readonly peerWindowBytes: number | null;
    readonly peerConnectionWindowBytes: number | null;
    /** How long the application has waited for credit in all. */
    readonly stalledMs: number;
  };
  readonly waitsFor: WaitView;
}

export interface ExchangesView {
  /** In flight, of those that were asked for. */
  readonly total: number;
  /** There are so many that not all were looked at. */
  readonly isCut: boolean;
  /** The oldest first. */
  readonly exchanges: readonly ExchangeView[];
}
