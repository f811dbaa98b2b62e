/**
 * The server of the control socket: connections as everywhere, HTTP/2 and HTTP/1.1, on the same reactor, with limits, deadlines and
 * counts of their own, so that nothing that comes this way takes anything from the applications' clients. No request reaches a
 * pool: each is answered by a route, in the reactor's thread.
 */
import { OutputBuffers } from '../bytes/output-buffers.ts';
import type { Config } from '../config/config.ts';
import type { Connection } from '../connections/connection.ts';
import type { Front } from '../connections/front.ts';
import { Http1Connection } from '../connections/http1.ts';
import { Http2Connection } from '../connections/http2.ts';
import { LingeringSockets } from '../connections/lingering.ts';
import { Deadlines } from '../deadlines/deadlines.ts';
import type { Destination, Exchange, Taker } from '../exchange.ts';
import { Http1Caches } from '../http1/caches.ts';
import { http2Options } from '../http2/options.ts';
import { ConnectionLimits } from '../limits.ts';
import { Listener } from '../listeners/listener.ts';
import type { Log } from '../log.ts';
import { OutcomeCounters } from '../outcomes.ts';
import type { Reactor } from '../reactor.ts';
import { Router } from '../router.ts';
import { readVersion } from '../version.ts';
import { isRemoved, removeAtExit } from './at-exit.ts';
import { ControlCode, ControlRefusal, errorText } from './errors.ts';
import type { Environment } from './folder.ts';
import { LocalRun, type LocalRunOwner } from './local-run.ts';
import type { ControlRoutes } from './routes.ts';
import { type OpenSocket, openAt, openIn } from './socket.ts';
import { CONTROL_VERSION } from './version.ts';

const TICK_MS = 1_000;
const RESPONSE_WINDOW_BYTES = 262_144;

export class ControlServer implements Taker, LocalRunOwner {
  readonly #config: Config;
  readonly #log: Log;
  readonly #reactor: Reactor;
  readonly #routes: ControlRoutes;
  readonly #connections = new Set<Connection>();
  readonly #deadlines: Deadlines;
  readonly #lingering: LingeringSockets;
  readonly #front: Front;
  readonly #listeners: Listener[] = [];
  readonly #fields: readonly string[] = [
    'cache-control',
    'no-store',
    'sluice-control',
    String(CONTROL_VERSION),
    'sluice-version',
    readVersion(),
  ];
  readonly #outcomes = new OutcomeCounters();
  #socket: OpenSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #running = 0;
  #state: 'open' | 'closed' = 'open';

  constructor(config: Config, routes: ControlRoutes, reactor: Reactor, log: Log) {
    this.#config = config;
    this.#routes = routes;
    this.#reactor = reactor;
    this.#log = log;
    const { limits, http2, http1, control } = config;
    const { linger } = limits;
    this.#deadlines = new Deadlines({ ...limits, exchangeTimeoutMs: 0 }, reactor.nowMs);
    this.#lingering = new LingeringSockets({ ...linger, writeTimeoutMs: linger.timeoutMs }, () => undefined);
    this.#front = {
      reactor,
      router: new Router([{ host: '*', path: '/*', target: this.#destination() }]),
      http2: http2Options({
        ...http2,
        maxConcurrentStreams: Math.min(http2.maxConcurrentStreams, control.maxExchanges),
        enableConnectProtocol: false,
      }),
      http1: {
        ...http1,
        upgradeH2c: false,
        maxTargetBytes: limits.maxTargetBytes,
        headerTimeoutMs: limits.headerTimeoutMs,
        requestWindowBytes: control.maxBodyBytes,
        maxRequestWindowBytes: control.maxBodyBytes,
        outputLimitBytes: http2.outputLimitBytes,
      },
      http1Caches: new Http1Caches(),
      buffers: new OutputBuffers(),
      deadlines: this.#deadlines,
      lingering: this.#lingering,
      headerTimeoutMs: limits.headerTimeoutMs,
      idleTimeoutMs: limits.idleTimeoutMs,
      maxTargetBytes: limits.maxTargetBytes,
      date: () => new Date().toUTCString(),
      onUpgraded: (socket) => {
        socket.destroy();
      },
      forget: (connection) => this.#connections.delete(connection),
      onFault: (error) =>
        log.error({ err: error }, 'error of the server itself: the control connection that met it is closed'),
      onAbuse: (abuse) => log.warn({ abuse }, 'a control connection went over a budget and is closed'),
    };
  }

  #destination(): Destination {
    const { limits, control } = this.#config;
    return {
      dispatcher: this,
      responseWindowBytes: RESPONSE_WINDOW_BYTES,
      maxResponseWindowBytes: RESPONSE_WINDOW_BYTES,
      retryAfterSeconds: 1,
      maxBodyBytes: control.maxBodyBytes,
      minRequestBytesPerSecond: limits.requestRate.bytesPerSecond,
      websocket: false,
      connect: false,
      outcomes: this.#outcomes,
      explain: (status, reason) => ({
        fields: ['content-type', 'application/json', ...this.#fields],
        text: errorText(ControlCode.Refused, `${status} ${reason}`),
      }),
    };
  }

  /** Where it listens; null: nowhere. */
  get path(): string | null {
    return this.#socket?.path ?? null;
  }

  /** @throws ControlSocketError */
  async open(environment: Environment = process.env): Promise<void> {
    const owner = { listen: (path: string) => this.#listen(path) };
    const { path } = this.#config.control;
    const socket =
      path === null ? await openIn(this.#config.file, owner, environment) : await openAt(path, owner);
    this.#socket = socket;
    if (this.#state === 'closed') {
      this.#closeListeners();
      return;
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
    removeAtExit(socket);
  }

  async #listen(path: string): Promise<void> {
    const { limits, control } = this.#config;
    const listener = new Listener(
      {
        onHttp2: (socket, first, peer) => {
          this.#connections.add(new Http2Connection(socket, this.#front, first, peer));
        },
        onHttp1: (socket, first, peer) => {
          const connection = new Http1Connection(socket, this.#front, peer);
          this.#connections.add(connection);
          connection.begin(first);
        },
        onRefused: (refusal, _address, why) =>
          this.#log.debug({ refusal, why }, 'control connection refused'),
      },
      {
        index: 0,
        config: {
          permissions: null,
          tls: null,
          proxyProtocol: 'off',
          maxProxyHeaderBytes: 0,
          trustedProxies: [],
          forwardedFields: [],
        },
        tls: null,
        limits: new ConnectionLimits({ ...control, maxConnectionsPerAddress: 0 }),
        headerTimeoutMs: limits.headerTimeoutMs,
      },
    );
    await listener.listen({ kind: 'unix', address: path, path });
    this.#listeners.push(listener);
  }

  // ---- Taker

  submit(exchange: Exchange): void {
    const { maxBodyBytes, maxExchanges } = this.#config.control;
    const options = {
      requestWindowBytes: maxBodyBytes,
      responseWindowBytes: RESPONSE_WINDOW_BYTES,
      fields: this.#fields,
    };
    const run = new LocalRun(exchange, options, this);
    const isBusy = this.#running >= maxExchanges;
    this.#running++;
    void run.run(() => {
      if (isBusy) {
        const why = `expected at most ${maxExchanges} requests at once (control.maxExchanges), came one more`;
        throw new ControlRefusal(503, ControlCode.Busy, why);
      }
      return this.#routes.find(run.method, run.path);
    });
  }

  withdraw(): boolean {
    // Whatever has been submitted has been begun.
    return false;
  }

  // ---- LocalRunOwner

  tick(): void {
    this.#reactor.tick();
  }

  onFailure(error: unknown, method: string, path: string): void {
    this.#log.error({ err: error, method, path }, 'a request on the control socket failed');
  }

  onReturned(): void {
    this.#running--;
  }

  #tick(): void {
    const now = this.#reactor.tick();
    this.#deadlines.advance(now);
    for (const connection of this.#connections) connection.tick(now);
    this.#lingering.tick(now);
    this.#deadlines.judge();
    this.#reactor.request();
  }

  #closeListeners(): void {
    for (const listener of this.#listeners) listener.close();
    if (this.#socket === null) return;
    this.#socket.remove();
    isRemoved(this.#socket);
  }

  /** At once: whoever is connected is cut off. Idempotent. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#closeListeners();
    for (const connection of this.#connections) connection.destroy();
  }
}
