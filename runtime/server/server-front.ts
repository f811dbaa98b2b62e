/**
 * What connections need of their server: routes, protocol options and timeouts. There are two fronts: `checked` for listeners that answer
 * the paths of `health` before every route, and `plain` for those that do not.
 */
import type { Socket } from 'node:net';
import { OutputBuffers } from '../bytes/output-buffers.ts';
import type { Config, RouteConfig } from '../config/config.ts';
import type { Connection } from '../connections/connection.ts';
import type { Front } from '../connections/front.ts';
import type { UpgradedRequest } from '../connections/h2c-upgrade.ts';
import { Labels } from '../connections/labels.ts';
import type { LingeringSockets } from '../connections/lingering.ts';
import type { Peer } from '../connections/peer.ts';
import type { RequestRefusal } from '../connections/request-refusal.ts';
import type { Deadlines } from '../deadlines/deadlines.ts';
import type { Destination } from '../exchange/exchange.ts';
import { liveDestination, readyDestination } from '../health/health-route.ts';
import type { Readiness } from '../health/readiness.ts';
import { Http1Caches } from '../http1/caches.ts';
import { DEFAULT_KEEP_ALIVE_TIMEOUT_MS } from '../http1/options.ts';
import type { Abuse, EngineCounters } from '../http2/counters.ts';
import { http2Options } from '../http2/options.ts';
import { RequestIds } from '../logging/request-ids.ts';
import type { Reactor } from './reactor.ts';
import { type Route, Router } from './router.ts';

/** What a front needs from its server. */
export interface FrontOwner {
  readonly reactor: Reactor;
  readonly deadlines: Deadlines;
  readonly lingering: LingeringSockets;
  /** The destination of requests that no route matches. */
  nowhere(): Destination;
  destinationOf(route: RouteConfig): Destination;
  readiness(): Readiness;
  /** The keep-alive timeout that applications have set on their servers; null: none has. */
  keepAliveTimeoutMs(): number | null;
  onUpgraded(front: Front, socket: Socket, first: Buffer, peer: Peer, request: UpgradedRequest): void;
  forget(connection: Connection): void;
  onFault(error: unknown): void;
  onRequestRefused(refusal: RequestRefusal, peer: Peer, why: string): void;
  onAbuse(abuse: Abuse, peer: Peer, counters: EngineCounters): void;
}

export interface Fronts {
  readonly plain: Front;
  /** Also answers the paths of `health`. */
  readonly checked: Front;
}

/** The part of a front that a reload may change. */
type Settings = Pick<
  Front,
  'router' | 'http2' | 'http1' | 'headerTimeoutMs' | 'idleTimeoutMs' | 'maxTargetBytes' | 'labels'
>;

export function makeFronts(config: Config, owner: FrontOwner): Fronts {
  const { plain, checked } = settingsOf(config, owner);
  const date = new HttpDate();
  const shared = {
    http1Caches: new Http1Caches(),
    buffers: new OutputBuffers(),
    date: () => date.at(owner.reactor.nowMs),
  };
  return { plain: makeFront(plain, shared, owner), checked: makeFront(checked, shared, owner) };
}

/** New requests use the new settings, also on open connections as far as the protocol allows. */
export function updateFronts({ plain, checked }: Fronts, config: Config, owner: FrontOwner): void {
  const settings = settingsOf(config, owner);
  Object.assign(plain, settings.plain);
  Object.assign(checked, settings.checked);
}

function settingsOf(config: Config, owner: FrontOwner): { readonly [Name in keyof Fronts]: Settings } {
  const { limits } = config;
  const routes: Route<Destination>[] = [
    ...config.routes.map((route) => ({ ...route, target: owner.destinationOf(route) })),
    { host: '*', path: '/*', target: owner.nowhere() },
  ];
  const plain = {
    router: new Router(routes),
    http2: http2Options({
      ...config.http2,
      // Announced only if a route accepts WebSockets, because browsers then send theirs over HTTP/2.
      enableConnectProtocol: config.routes.some(({ websocket }) => websocket),
    }),
    http1: {
      ...config.http1,
      keepAliveTimeoutMs:
        config.http1.keepAliveTimeoutMs ?? owner.keepAliveTimeoutMs() ?? DEFAULT_KEEP_ALIVE_TIMEOUT_MS,
      maxTargetBytes: limits.maxTargetBytes,
      headerTimeoutMs: limits.headerTimeoutMs,
      requestWindowBytes: config.http2.streamWindowBytes,
      maxRequestWindowBytes: config.http2.maxStreamWindowBytes,
      outputLimitBytes: config.http2.outputLimitBytes,
    },
    headerTimeoutMs: limits.headerTimeoutMs,
    idleTimeoutMs: limits.idleTimeoutMs,
    maxTargetBytes: limits.maxTargetBytes,
    labels: labelsOf(config, owner),
  };
  return { plain, checked: { ...plain, router: new Router([...healthRoutes(config, owner), ...routes]) } };
}

function labelsOf({ requestId, tracing }: Config, { reactor }: FrontOwner): Labels | null {
  const answersTiming = tracing?.serverTiming === true;
  if (requestId === null && !answersTiming) return null;
  return new Labels({
    ids: requestId && new RequestIds(requestId.field),
    answersIds: requestId?.respond === true,
    answersTiming,
    nowMs: () => reactor.nowMs,
  });
}

function healthRoutes({ health }: Config, owner: FrontOwner): Route<Destination>[] {
  const routes: Route<Destination>[] = [];
  const { live, ready } = health;
  if (live !== undefined) routes.push({ host: '*', path: live, target: liveDestination() });
  if (ready !== undefined) {
    routes.push({ host: '*', path: ready, target: readyDestination(() => owner.readiness()) });
  }
  return routes;
}

function makeFront(
  settings: Settings,
  { http1Caches, buffers, date }: Pick<Front, 'http1Caches' | 'buffers' | 'date'>,
  owner: FrontOwner,
): Front {
  const front: Front = {
    reactor: owner.reactor,
    router: settings.router,
    http2: settings.http2,
    http1: settings.http1,
    http1Caches,
    buffers,
    deadlines: owner.deadlines,
    lingering: owner.lingering,
    headerTimeoutMs: settings.headerTimeoutMs,
    idleTimeoutMs: settings.idleTimeoutMs,
    maxTargetBytes: settings.maxTargetBytes,
    labels: settings.labels,
    date,
    onUpgraded: (socket, first, peer, request) => owner.onUpgraded(front, socket, first, peer, request),
    forget: (connection) => owner.forget(connection),
    onFault: (error) => owner.onFault(error),
    onRequestRefused: (refusal, peer, why) => owner.onRequestRefused(refusal, peer, why),
    onAbuse: (abuse, peer, counters) => owner.onAbuse(abuse, peer, counters),
  };
  return front;
}

/** The value of the Date field, formatted once a second. */
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
