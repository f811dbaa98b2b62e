/**
 * Answers requests by routes within the server, over HTTP/2 and HTTP/1.1, on the same reactor. It has limits,
 * deadlines and counters of its own, so its clients take nothing from the applications' clients. No request reaches
 * a pool: a route in the reactor's thread answers it.
 *
 * It answers each connection in small steps, so a client that does not read makes the server hold little.
 * Connections of strangers make room for newer ones, strangers are limited by address, and their requests do not
 * count towards the limits of clients that have been admitted.
 */
import { OutputBuffers } from '../bytes/output-buffers.ts';
import type { Config } from '../config/config.ts';
import type { Connection } from '../connections/connection.ts';
import type { Front } from '../connections/front.ts';
import { Http1Connection } from '../connections/http1.ts';
import { Http2Connection } from '../connections/http2.ts';
import { LingeringSockets } from '../connections/lingering.ts';
import { Deadlines } from '../deadlines/deadlines.ts';
import type { Destination, Exchange, Taker } from '../exchange/exchange.ts';
import type { ExchangeJob } from '../exchange/exchange-job.ts';
import { OutcomeCounters } from '../exchange/outcomes.ts';
import { Http1Caches } from '../http1/caches.ts';
import { DEFAULT_KEEP_ALIVE_TIMEOUT_MS } from '../http1/options.ts';
import { http2Options } from '../http2/options.ts';
import type { BindAddress, Bound } from '../listeners/bind.ts';
import { Listener } from '../listeners/listener.ts';
import { LimitedLines } from '../logging/limited-lines.ts';
import type { Log } from '../logging/log.ts';
import { addressKey, ConnectionLimits } from '../server/limits.ts';
import type { Reactor } from '../server/reactor.ts';
import { Router } from '../server/router.ts';
import { type BusyLimits, BusyTime } from './busy-time.ts';
import { ControlCode, ControlRefusal, errorText } from './errors.ts';
import { LocalRun, type LocalRunOwner } from './local-run.ts';
import { RequestRates } from './request-rates.ts';
import type { RouteTable } from './routes.ts';

const TICK_MS = 1_000;
/** One line for each reason in this time. */
const LINE_EVERY_MS = 1_000;
/** Of a streamed answer, what may wait for its client. */
const LOCAL_WINDOW_BYTES = 65_536;

export interface LocalServerOptions {
  /** The section of the configuration that has its limits, for messages. */
  readonly section: 'control' | 'monitoring' | 'admin';
  /**
   * Who can connect. `own`: only the server's user, who is let in. `guarded`: strangers, until the table of routes lets them in. `any`: strangers.
   */
  readonly clients: 'own' | 'guarded' | 'any';
  readonly maxConnections: number;
  /** Requests of clients that have been let in whose answers are not complete or not read. Absent: there are no such clients. */
  readonly maxExchanges?: number;
  readonly maxBodyBytes: number;
  /** Requests that are answered per second, also as a burst: of all clients that have been let in, and of strangers at one address. */
  readonly maxRequestsPerSecond: number;
  /** How many addresses of strangers `maxRequestsPerSecond` counts for. Absent: there are no strangers. */
  readonly maxRememberedAddresses?: number;
  /** Of an HTTP/2 connection; HTTP/1.1 has one at a time. */
  readonly maxStreams: number;
  /** Of the routes of clients that have been let in. Absent: there are no such clients. */
  readonly busy?: BusyLimits;
  /** Fields of every answer, in pairs. */
  readonly fields: readonly string[];
}

export class LocalServer implements Taker, LocalRunOwner {
  readonly #options: LocalServerOptions;
  readonly #config: Config;
  readonly #log: Log;
  readonly #reactor: Reactor;
  readonly #routes: RouteTable;
  readonly #connections = new Set<Connection>();
  readonly #deadlines: Deadlines;
  readonly #lingering: LingeringSockets;
  readonly #front: Front;
  readonly #listeners: Listener[] = [];
  readonly #outcomes = new OutcomeCounters();
  readonly #lines = new LimitedLines<string>(LINE_EVERY_MS);
  #timer: NodeJS.Timeout | null = null;
  /** By exchange. */
  readonly #runs = new Map<object, LocalRun>();
  /** Of them, those of clients that have been let in and that count for `maxExchanges`. */
  readonly #counted = new Set<LocalRun>();
  readonly #rates: RequestRates;
  readonly #busy: BusyTime | null;

  constructor(options: LocalServerOptions, config: Config, routes: RouteTable, reactor: Reactor, log: Log) {
    this.#options = options;
    this.#config = config;
    this.#routes = routes;
    this.#reactor = reactor;
    this.#log = log;
    // All that have been let in count as one more.
    const known = options.maxExchanges === undefined ? 0 : 1;
    this.#rates = new RequestRates(
      options.maxRequestsPerSecond,
      (options.maxRememberedAddresses ?? 0) + known,
    );
    this.#busy = options.busy === undefined ? null : new BusyTime(options.busy);
    const { limits, http2, http1 } = config;
    const { maxBodyBytes, section } = options;
    const { linger } = limits;
    this.#deadlines = new Deadlines({ ...limits, exchangeTimeoutMs: 0 }, reactor.nowMs);
    this.#lingering = new LingeringSockets({ ...linger, writeTimeoutMs: linger.timeoutMs }, () => undefined);
    this.#front = {
      reactor,
      router: new Router([{ host: '*', path: '/*', target: this.#destination() }]),
      http2: http2Options({
        ...http2,
        maxConcurrentStreams: Math.min(http2.maxConcurrentStreams, options.maxStreams),
        enableConnectProtocol: false,
      }),
      http1: {
        ...http1,
        keepAliveTimeoutMs: http1.keepAliveTimeoutMs ?? DEFAULT_KEEP_ALIVE_TIMEOUT_MS,
        maxParallelRequests: 1,
        upgradeH2c: false,
        maxTargetBytes: limits.maxTargetBytes,
        headerTimeoutMs: limits.headerTimeoutMs,
        requestWindowBytes: maxBodyBytes,
        maxRequestWindowBytes: maxBodyBytes,
        outputLimitBytes: http2.outputLimitBytes,
      },
      http1Caches: new Http1Caches(),
      buffers: new OutputBuffers(),
      deadlines: this.#deadlines,
      lingering: this.#lingering,
      headerTimeoutMs: limits.headerTimeoutMs,
      idleTimeoutMs: limits.idleTimeoutMs,
      maxTargetBytes: limits.maxTargetBytes,
      labels: null,
      date: () => new Date().toUTCString(),
      onUpgraded: (socket) => {
        socket.destroy();
      },
      forget: (connection) => this.#connections.delete(connection),
      onFault: (error) =>
        log.error(
          { err: error, section },
          'internal error on the control, monitoring or admin listener: the affected connection is closed',
        ),
      onRequestRefused: (refusal, _peer, why) =>
        this.#tell(
          'debug',
          refusal,
          { refusal, why },
          'request to the control, monitoring or admin listener refused',
        ),
      onAbuse: (abuse) =>
        this.#tell(
          'warn',
          abuse,
          { abuse },
          'connection to the control, monitoring or admin listener closed: it exceeded an abuse budget',
        ),
    };
  }

  #destination(): Destination {
    const { limits } = this.#config;
    const { maxBodyBytes, fields } = this.#options;
    return {
      dispatcher: this,
      responseWindowBytes: LOCAL_WINDOW_BYTES,
      maxResponseWindowBytes: LOCAL_WINDOW_BYTES,
      retryAfterSeconds: 1,
      maxBodyBytes,
      minRequestBytesPerSecond: limits.requestRate.bytesPerSecond,
      websocket: false,
      connect: false,
      outcomes: this.#outcomes,
      onEnded: (exchange) => {
        this.#runs.get(exchange)?.onEnded();
        this.#runs.delete(exchange);
      },
      explain: (status, reason) => ({
        fields: ['content-type', 'application/json', ...fields],
        text: errorText(ControlCode.Refused, `${status} ${reason}`),
      }),
    };
  }

  /** @throws ListenError */
  async listen(target: BindAddress): Promise<Bound> {
    const { limits } = this.#config;
    const { maxConnections, clients } = this.#options;
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
          this.#tell(
            'debug',
            refusal,
            { refusal, why },
            'connection to the control, monitoring or admin listener refused',
          ),
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
        limits: new ConnectionLimits({ maxConnections, maxConnectionsPerAddress: 0 }),
        givesWay: clients !== 'own',
        headerTimeoutMs: limits.headerTimeoutMs,
      },
    );
    const bound = await listener.listen(target);
    this.#listeners.push(listener);
    if (this.#timer === null) {
      this.#timer = setInterval(() => this.#tick(), TICK_MS);
      this.#timer.unref();
    }
    return bound;
  }

  /** Logs what a peer has done, at a limited rate, because the peer can do it any number of times. */
  #tell(level: 'debug' | 'warn', reason: string, details: object, message: string): void {
    const suppressed = this.#lines.add(`${message}: ${reason}`, this.#reactor.nowMs);
    if (suppressed === null) return;
    const { section } = this.#options;
    this.#log[level]({ ...details, section, ...(suppressed > 0 && { suppressed }) }, message);
  }

  // ---- Taker

  submit({ exchange }: ExchangeJob<Exchange>): void {
    const { maxBodyBytes, clients, fields } = this.#options;
    const options = {
      requestWindowBytes: maxBodyBytes,
      responseWindowBytes: LOCAL_WINDOW_BYTES,
      fields,
    };
    const run = new LocalRun(exchange, options, this);
    this.#runs.set(exchange, run);
    void run.run(() => {
      if (clients === 'own') run.letIn();
      try {
        return this.#routes.find(run.method, run.path, run);
      } finally {
        // Also one that has been refused.
        if (!run.isLetIn) this.#charge(addressKey(run.remoteAddress));
      }
    });
  }

  /** @param client empty: all that have been let in. @throws ControlRefusal */
  #charge(client: string): void {
    if (this.#rates.take(client, this.#reactor.nowMs)) return;
    const { maxRequestsPerSecond, section } = this.#options;
    const most = `${section}.maxRequestsPerSecond (${maxRequestsPerSecond})`;
    throw new ControlRefusal(429, ControlCode.TooMany, `expected at most ${most} requests, got more`, [
      'retry-after',
      '1',
    ]);
  }

  withdraw(): boolean {
    // A submitted exchange has always begun.
    return false;
  }

  // ---- LocalRunOwner

  tick(): void {
    this.#reactor.tick();
  }

  onFailure(error: unknown, method: string, path: string): void {
    const { section } = this.#options;
    this.#log.error(
      { err: error, method, path, section },
      'request to the control, monitoring or admin listener failed',
    );
  }

  onLetIn(run: LocalRun): void {
    const { maxExchanges = Infinity, section } = this.#options;
    for (const listener of this.#listeners) listener.keep(run.remoteAddress, run.remotePort);
    this.#charge('');
    if (this.#counted.size >= maxExchanges) {
      const why = `expected at most ${maxExchanges} requests at once (${section}.maxExchanges), got one more`;
      throw new ControlRefusal(503, ControlCode.Busy, why);
    }
    this.#counted.add(run);
  }

  waitMs(): number {
    return this.#busy?.waitMs(performance.now()) ?? 0;
  }

  spend(ms: number): void {
    this.#busy?.spend(ms, performance.now());
  }

  onOver(run: LocalRun): void {
    this.#counted.delete(run);
  }

  #tick(): void {
    const now = this.#reactor.tick();
    this.#deadlines.advance(now);
    for (const connection of this.#connections) connection.tick(now);
    this.#lingering.tick(now);
    this.#deadlines.judge();
    const { section } = this.#options;
    for (const [what, suppressed] of this.#lines.leftOut(now))
      this.#log.debug({ what, section, suppressed }, 'more lines of the same reason were left out');
    this.#reactor.request();
  }

  /** Closes at once and cuts off connected clients. Idempotent. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const listener of this.#listeners) listener.close();
    for (const connection of this.#connections) connection.destroy();
  }
}
