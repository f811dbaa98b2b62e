/**
 * OpenTelemetry spans of requests, made in the application's thread, where its tracer is.
 *
 *   server          from the first octets of the request's head until the response has been sent, if the thread learns that
 *     accept        waiting: for the rest of the head
 *     queue         waiting: until the reactor gave it to this thread
 *     claim         waiting: until this thread began it
 *     application   the application's code, and whatever it waits for
 *     send          waiting: from the application's last message until the peer's connection has accepted it
 *
 * The application's own propagator and sampler decide from the request's trace context (W3C) whether spans are recorded. The request that
 * the application sees carries the server span's context. Code that reads the field itself, such as instrumentation of `node:http`,
 * therefore continues below that span.
 */
import { createRequire } from 'node:module';

import { clockMicroseconds, microsecondsBetween } from '../../wire/clock.ts';
import type { TracingSettings } from '../../wire/control.ts';
import { describeError } from '../../wire/error-report.ts';
import type { Vitals } from '../../wire/vitals.ts';
import type { HostedExchange } from '../exchange/exchange.ts';
import type { HostedRequest } from '../exchange/request.ts';
import { ReceivedFields } from '../fields/received.ts';
import type { Application } from '../gateway.ts';
import type {
  Attributes,
  Context,
  OpenTelemetryApi,
  Span,
  TextMapGetter,
  Tracer,
} from './opentelemetry-api.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE']);

export class TracingError extends Error {
  readonly code = 'SLUICE_TRACING_API_MISSING';

  constructor(application: string, cause: unknown) {
    super(
      `tracing.spans: expected the package @opentelemetry/api beside ${application}, found none; install it, or set tracing.spans to false`,
      { cause },
    );
    this.name = 'TracingError';
  }
}

/** A request whose span is recorded. */
interface Traced {
  readonly span: Span;
  readonly context: Context;
  readonly arrivingMs: number;
  readonly receivedMs: number;
  readonly givenMs: number;
  readonly begunMs: number;
  /** NaN: the application has not returned. */
  returnedMs: number;
  /** NaN: the exchange has not sent its FINAL message. */
  saidMs: number;
  error: unknown;
  creditStalledMs: number;
}

export class Tracing {
  readonly #api: OpenTelemetryApi;
  readonly #tracer: Tracer;
  readonly #settings: TracingSettings;
  readonly #vitals: Vitals;
  #hasFailed = false;
  /** Requests by slot, while this thread has them. */
  readonly #running = new Map<number, { readonly generation: number; readonly traced: Traced }>();
  /**
   * Requests whose FINAL message was sent and whose response is not known to be sent, by slot and generation.
   */
  readonly #unsent = new Map<string, Traced>();

  /** @throws TracingError */
  constructor(settings: TracingSettings, application: string, vitals: Vitals) {
    try {
      // This loads the application's own copy of the package, because the application registers its SDK with that copy.
      this.#api = createRequire(application)('@opentelemetry/api');
    } catch (error) {
      throw new TracingError(application, error);
    }
    this.#tracer = this.#api.trace.getTracer('sluice');
    this.#settings = settings;
    this.#vitals = vitals;
  }

  /** Calls the application, within the span of its request if that is recorded. */
  call(application: Application, exchange: HostedExchange, generation: number): unknown {
    const { slot } = exchange;
    this.#vitals.unfollow(slot);
    // Converted once, because a second conversion would differ by a fraction.
    const receivedMs = epochOf(exchange.receivedAtUs);
    const arrivingUs = this.#vitals.arrivingUs(slot);
    // A head that arrived at once arrived when it was received.
    const arrivingMs = arrivingUs === 0 ? receivedMs : Math.min(receivedMs, epochOf(arrivingUs));
    let context: Context;
    let traced: Traced | null;
    try {
      context = this.#contextOf(exchange, arrivingMs);
      traced = this.#tracedIn(context, exchange, arrivingMs, receivedMs);
    } catch (error) {
      this.#tell(error);
      return application(exchange);
    }
    if (traced === null) return this.#api.context.with(context, application, undefined, exchange);
    this.#vitals.follow(slot);
    this.#running.set(slot, { generation, traced });
    return this.#run(application, exchange, traced);
  }

  /** Returns the context of the request's new span, sampled or not, and puts that context into the request's fields. */
  #contextOf(exchange: HostedExchange, startTime: number): Context {
    const { trace, propagation, ROOT_CONTEXT, SpanKind } = this.#api;
    const request = exchange.request as HostedRequest;
    const parent = propagation.extract(ROOT_CONTEXT, request.fields, FIELDS);
    const span = this.#tracer.startSpan(
      METHODS.has(request.method) ? request.method : 'HTTP',
      {
        kind: SpanKind.SERVER,
        startTime,
        attributes: this.#attributesOf(request),
      },
      parent,
    );
    const context = trace.setSpan(parent, span);
    const fields = new Map<string, string>();
    propagation.inject(context, fields, { set: (to, name, value) => to.set(name.toLowerCase(), value) });
    if (fields.size > 0) request.setTraceFields(fields);
    return context;
  }

  /** Null: the span is not recorded. */
  #tracedIn(
    context: Context,
    { slot, startedAtUs }: HostedExchange,
    arrivingMs: number,
    receivedMs: number,
  ): Traced | null {
    const span = this.#api.trace.getSpan(context);
    if (span === undefined || !span.isRecording()) {
      span?.end();
      return null;
    }
    return {
      span,
      context,
      arrivingMs,
      receivedMs,
      givenMs: epochOf(this.#vitals.givenUs(slot)),
      begunMs: epochOf(startedAtUs),
      returnedMs: Number.NaN,
      saidMs: Number.NaN,
      error: undefined,
      creditStalledMs: 0,
    };
  }

  /** Warns once. A tracer that fails costs spans, but no request. */
  #tell(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    process.emitWarning(`spans are lost: the application's tracer failed: ${describeError(error).message}`, {
      code: 'SLUICE_TRACING_FAILED',
    });
  }

  async #run(application: Application, exchange: HostedExchange, traced: Traced): Promise<unknown> {
    try {
      return await this.#api.context.with(traced.context, application, undefined, exchange);
    } catch (error) {
      traced.error = error;
      throw error;
    } finally {
      traced.returnedMs = nowMs();
    }
  }

  /** The exchange has sent its FINAL message. */
  onFinished(slot: number): void {
    const running = this.#running.get(slot);
    if (running === undefined) return;
    this.#running.delete(slot);
    const { generation, traced } = running;
    traced.saidMs = nowMs();
    traced.creditStalledMs = this.#vitals.stalledUs(slot, clockMicroseconds()) / 1000;
    this.#unsent.set(keyOf(slot, generation), traced);
    if (this.#unsent.size <= this.#settings.maxUnsent) return;
    const [oldest] = this.#unsent.keys();
    this.#end(oldest as string, Number.NaN, 0);
  }

  /** The reactor reports that the response was sent, or was cut off. */
  onSent(slot: number, generation: number, atUs: number, status: number): void {
    this.#end(keyOf(slot, generation), epochOf(atUs), status);
  }

  /** Called when the thread ends. The remaining server spans end without `send`. */
  close(): void {
    for (const key of [...this.#unsent.keys()]) this.#end(key, Number.NaN, 0);
  }

  #end(key: string, sentMs: number, status: number): void {
    const traced = this.#unsent.get(key);
    if (traced === undefined) return;
    this.#unsent.delete(key);
    try {
      this.#record(traced, sentMs, status);
    } catch (error) {
      this.#tell(error);
    }
  }

  #record(traced: Traced, sentMs: number, status: number): void {
    const { span, arrivingMs, receivedMs, givenMs, begunMs, saidMs, error } = traced;
    const returnedMs = Number.isNaN(traced.returnedMs) ? saidMs : traced.returnedMs;
    this.#child(traced, 'accept', arrivingMs, receivedMs);
    this.#child(traced, 'queue', receivedMs, givenMs);
    this.#child(traced, 'claim', givenMs, begunMs);
    this.#child(traced, 'application', begunMs, returnedMs);
    if (!Number.isNaN(sentMs)) this.#child(traced, 'send', saidMs, Math.max(saidMs, sentMs));
    if (status > 0) span.setAttribute('http.response.status_code', status);
    if (traced.creditStalledMs > 0) span.setAttribute('sluice.credit_stalled_ms', traced.creditStalledMs);
    if (error !== undefined || status >= 500) {
      if (error instanceof Error) span.recordException(error);
      span.setAttribute('error.type', error instanceof Error ? error.name : String(status || 'reset'));
      span.setStatus({ code: this.#api.SpanStatusCode.ERROR });
    }
    span.end(Number.isNaN(sentMs) ? Math.max(saidMs, returnedMs) : Math.max(saidMs, returnedMs, sentMs));
  }

  #child({ context }: Traced, name: string, startTime: number, endMs: number): void {
    this.#tracer.startSpan(name, { startTime }, context).end(Math.max(startTime, endMs));
  }

  #attributesOf(request: HostedRequest): Attributes {
    const { method, path, scheme, version, remote, id, fields } = request;
    const query = path.indexOf('?');
    const isKnown = METHODS.has(method);
    const userAgent = FIELDS.get(fields, 'user-agent');
    return {
      'http.request.method': isKnown ? method : '_OTHER',
      ...(!isKnown && { 'http.request.method_original': method }),
      'url.path': query === -1 ? path : path.slice(0, query),
      'url.scheme': scheme,
      'network.protocol.name': 'http',
      'network.protocol.version': version,
      ...(remote.address !== '' && { 'client.address': remote.address }),
      ...(userAgent !== undefined && { 'user_agent.original': userAgent }),
      'sluice.pool': this.#settings.pool,
      'sluice.thread': this.#settings.thread,
      ...(id !== '' && { 'sluice.request_id': id }),
    };
  }
}

const FIELDS: TextMapGetter<HostedRequest['fields']> = {
  keys: (fields) => ReceivedFields.flat(fields).filter((_, index) => index % 2 === 0),
  get: (fields, name) => {
    let found: string | undefined;
    for (const [each, value] of fields) {
      if (each !== name) continue;
      // A repeated field is ambiguous, so it is ignored. Several lines of tracestate form one list.
      if (found !== undefined && name !== 'tracestate') return undefined;
      found = found === undefined ? value : `${found},${value}`;
    }
    return found;
  },
};

function keyOf(slot: number, generation: number): string {
  return `${slot}.${generation}`;
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Milliseconds of Unix time. @param us `clockMicroseconds`, less than a wrap ago */
function epochOf(us: number): number {
  const now = performance.now();
  const agoUs = microsecondsBetween(us >>> 0, clockMicroseconds(now));
  // A reading of another thread may be slightly ahead.
  return performance.timeOrigin + now - (agoUs > 2 ** 31 ? agoUs - 2 ** 32 : agoUs) / 1000;
}
