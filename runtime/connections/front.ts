/** What a connection needs from the server to serve a request. */
import type { Socket } from 'node:net';
import type { OutputBuffers } from '../bytes/output-buffers.ts';
import type { Deadlines } from '../deadlines/deadlines.ts';
import type { Destination } from '../exchange/exchange.ts';
import { OutcomeCounters } from '../exchange/outcomes.ts';
import type { Http1Caches } from '../http1/caches.ts';
import type { Http1Options } from '../http1/options.ts';
import type { Abuse, EngineCounters } from '../http2/counters.ts';
import type { Http2Options } from '../http2/options.ts';
import type { Connection } from './connection.ts';
import type { UpgradedRequest } from './h2c-upgrade.ts';
import type { Labels } from './labels.ts';
import type { LingeringSockets } from './lingering.ts';
import type { Peer } from './peer.ts';
import type { RequestRefusal } from './request-refusal.ts';
import type { Turns } from './turns.ts';

/** Where requests go. */
export interface Routes {
  /** @param path as received, with its query */
  find(authority: string, path: string): Destination | null;
}

export interface Front {
  readonly reactor: Turns;
  readonly router: Routes;
  readonly http2: Http2Options;
  readonly http1: Http1Options;
  readonly http1Caches: Http1Caches;
  readonly buffers: OutputBuffers;
  readonly deadlines: Deadlines;
  /** Takes sockets to which the server writes nothing more. */
  readonly lingering: LingeringSockets;
  readonly headerTimeoutMs: number;
  /** 0: a connection may be idle for any time. */
  readonly idleTimeoutMs: number;
  /** Most bytes of a request target; a longer one is answered 414. */
  readonly maxTargetBytes: number;
  /** Null: nothing is added to requests and responses. */
  readonly labels: Labels | null;
  /** Returns the value of the Date field (RFC 9110 section 6.6.1), renewed once a second. */
  date(): string;
  /** The request has changed the connection to HTTP/2. */
  onUpgraded(socket: Socket, first: Buffer, peer: Peer, request: UpgradedRequest): void;
  /** The connection is gone. */
  forget(connection: Connection): void;
  /** An internal error has ended a connection. */
  onFault(error: unknown): void;
  /** A request has been refused by its protocol's engine, most of them before there was an exchange. */
  onRequestRefused(refusal: RequestRefusal, peer: Peer, why: string): void;
  /** The peer has exceeded a budget or a limit against abuse: its connection ends. */
  onAbuse(abuse: Abuse, peer: Peer, counters: EngineCounters): void;
}

/**
 * The destination of a path that no route matches: the exchange answers 404. A server has a last route for
 * it, with counters of its own.
 */
export const NOWHERE: Destination = Object.freeze({
  dispatcher: null,
  responseWindowBytes: 65_536,
  maxResponseWindowBytes: 65_536,
  retryAfterSeconds: 1,
  maxBodyBytes: Infinity,
  minRequestBytesPerSecond: 0,
  websocket: false,
  connect: false,
  outcomes: new OutcomeCounters(),
});
