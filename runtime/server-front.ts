/** What the connections of a server are served with: its routes, the options of the protocols, and times. */
import type { Socket } from 'node:net';
import { OutputBuffers } from './bytes/output-buffers.ts';
import type { Config, RouteConfig } from './config/config.ts';
import type { Connection } from './connections/connection.ts';
import { type Front, NOWHERE } from './connections/front.ts';
import type { UpgradedRequest } from './connections/h2c-upgrade.ts';
import type { LingeringSockets } from './connections/lingering.ts';
import type { Deadlines } from './deadlines/deadlines.ts';
import type { Destination } from './exchange.ts';
import { Http1Caches } from './http1/caches.ts';
import type { Abuse, EngineCounters } from './http2/counters.ts';
import { http2Options } from './http2/options.ts';
import type { Peer } from './listeners/peer.ts';
import type { OutcomeCounters } from './outcomes.ts';
import type { Reactor } from './reactor.ts';
import { Router } from './router.ts';

/** What a front needs of the server that has it. */
export interface FrontOwner {
  readonly reactor: Reactor;
  readonly deadlines: Deadlines;
  readonly lingering: LingeringSockets;
  /** Of requests that no route matches. */
  readonly unrouted: OutcomeCounters;
  destinationOf(route: RouteConfig): Destination;
  onUpgraded(socket: Socket, first: Buffer, peer: Peer, request: UpgradedRequest): void;
  forget(connection: Connection): void;
  onFault(error: unknown): void;
  onAbuse(abuse: Abuse, peer: Peer, counters: EngineCounters): void;
}

export function makeFront(config: Config, owner: FrontOwner): Front {
  const date = new HttpDate();
  const { reactor } = owner;
  return {
    reactor,
    router: new Router([
      ...config.routes.map((route) => ({ ...route, target: owner.destinationOf(route) })),
      { host: '*', path: '/*', target: { ...NOWHERE, outcomes: owner.unrouted } },
    ]),
    http2: http2Options({
      ...config.http2,
      // Announced when somebody takes it: a browser then sends its WebSockets here over HTTP/2.
      enableConnectProtocol: config.routes.some(({ websocket }) => websocket),
    }),
    http1: {
      ...config.http1,
      maxTargetBytes: config.limits.maxTargetBytes,
      headerTimeoutMs: config.limits.headerTimeoutMs,
      requestWindowBytes: config.http2.streamWindowBytes,
      maxRequestWindowBytes: config.http2.maxStreamWindowBytes,
      outputLimitBytes: config.http2.outputLimitBytes,
    },
    http1Caches: new Http1Caches(),
    buffers: new OutputBuffers(),
    deadlines: owner.deadlines,
    lingering: owner.lingering,
    headerTimeoutMs: config.limits.headerTimeoutMs,
    idleTimeoutMs: config.limits.idleTimeoutMs,
    maxTargetBytes: config.limits.maxTargetBytes,
    date: () => date.at(reactor.nowMs),
    onUpgraded: (socket, first, peer, request) => owner.onUpgraded(socket, first, peer, request),
    forget: (connection) => owner.forget(connection),
    onFault: (error) => owner.onFault(error),
    onAbuse: (abuse, peer, counters) => owner.onAbuse(abuse, peer, counters),
  };
}

/** The value of the Date field, made anew once a second. */
class HttpDate {
  #text = '';
  #second = -1;

  /** @param nowMs monotonic */
  at(nowMs: number): string {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date().toUTCString();
    }
    return this.#text;
  }
}
