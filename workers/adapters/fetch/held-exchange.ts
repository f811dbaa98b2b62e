/**
 * The exchange of a native application below Fetch layers. Its head is held until the layers return a Response. If that Response still has
 * the application's own body, whatever its fields, the body goes directly to the exchange above. If a layer reads the stream, the body
 * goes through that layer (docs/sgi.md, rule 12.6).
 */
import { plainName } from '../../../wire/field-marks.ts';
import { HostError } from '../../exchange/errors.ts';
import { pendingPush } from '../../exchange/pushes.ts';
import { notStartedOrEnded, responseStarted } from '../../exchange/refusals.ts';
import { requireContent, requireFinalStatus, requireInterimStatus } from '../../exchange/values.ts';
import { FlatFields } from '../../fields/flat.ts';
import { flatten, flattenTrailers } from '../../fields/sent.ts';
import type { Exchange, FieldsInit, PushedResponse, PushRequest, Tunnel, Withheld } from '../../gateway.ts';
import { WrappedExchange } from '../../middleware/wrapped-exchange.ts';
import { type Downgrade, refuse } from '../downgrade.ts';
import { keepMarks } from '../kept-marks.ts';
import { preloadLink } from '../preload.ts';
import { ExchangeOverFetch } from './exchange-over-fetch.ts';
import { areInstalled } from './globals.ts';
import { type HeldBody, LightResponse, PlatformResponse, type ResponseBody } from './light-response.ts';
import { PipedBody } from './piped-body.ts';

const streams = new WeakMap<ReadableStream, HeldExchange>();

/** The held exchange whose body a stream is; otherwise null. */
export function heldStream(stream: ReadableStream): HeldExchange | null {
  return streams.get(stream) ?? null;
}

const WHY_PIPED = 'a Fetch layer has taken the body’s stream for its own';
const PIPED: readonly Withheld[] = (['trailers', 'padding', 'push', 'streaming'] as const).map((feature) => ({
  feature,
  why: WHY_PIPED,
}));

export class HeldExchange extends WrappedExchange implements HeldBody {
  readonly #downgrade: Downgrade;
  readonly #response = Promise.withResolvers<Response>();
  readonly #committed = Promise.withResolvers<void>();
  readonly #whole = Promise.withResolvers<void>();
  readonly #preloads: string[] = [];
  #state: 'idle' | 'started' | 'ended' = 'idle';
  /** `bodiless`: the Response has no body, as for HEAD, so writes are dropped. */
  #mode: 'held' | 'direct' | 'piped' | 'bodiless' = 'held';
  #piped: PipedBody | null = null;

  constructor(inner: Exchange, downgrade: Downgrade) {
    super(inner);
    this.#downgrade = downgrade;
    // Marked as handled: only `commit` and the writes await these.
    this.#whole.promise.catch(() => undefined);
    this.#committed.promise.catch(() => undefined);
  }

  /** The handler's result. */
  get response(): Promise<Response> {
    return this.#response.promise;
  }

  get isStarted(): boolean {
    return this.#state !== 'idle';
  }

  get isComplete(): boolean {
    return this.#state === 'ended';
  }

  override get withheld(): readonly Withheld[] {
    if (this.#mode !== 'piped') return super.withheld;
    return [...super.withheld, ...PIPED.filter(({ feature }) => this.capabilities[feature])];
  }

  /** The body, for a layer that reads it. */
  get stream(): ReadableStream<Uint8Array> {
    if (this.#piped === null) {
      const onCancel = () => {
        if (this.inner instanceof ExchangeOverFetch) this.inner.cancelled();
      };
      this.#piped = new PipedBody(() => this.#begin('piped'), onCancel);
      streams.set(this.#piped.stream, this);
    }
    return this.#piped.stream;
  }

  /** No layer reads the body: sends the head, and lets the application write directly. Resolves when the body has been sent. */
  async commit(status: number, flat: readonly string[]): Promise<void> {
    this.inner.respond(status, new FlatFields(flat));
    this.#begin('direct');
    await this.#whole.promise;
  }

  #begin(mode: 'direct' | 'piped'): void {
    if (this.#mode !== 'held') return;
    this.#mode = mode;
    this.#committed.resolve();
  }

  /** The application has thrown, or returned before its response was complete. */
  fail(error: unknown): void {
    this.#response.reject(error);
    this.#response.promise.catch(() => undefined);
    this.#whole.reject(error);
    this.#piped?.error(error);
  }

  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    this.#mustBeIdle();
    requireFinalStatus(status);
    const flat = [...flatten(fields), ...this.#preloads.flatMap((link) => ['link', link])];
    // The iterable is the application's, and may have called this object.
    this.#mustBeIdle();
    if (body !== undefined) requireContent(body, 'a body');
    keepMarks(this.inner, flat);
    this.#state = body === undefined ? 'started' : 'ended';
    this.#response.resolve(this.#make(status, flat, body));
    if (body !== undefined) this.#complete();
  }

  #complete(): void {
    this.#whole.resolve();
    if (this.inner instanceof ExchangeOverFetch) this.inner.completed();
  }

  #make(status: number, flat: string[], body: Uint8Array | string | undefined): Response {
    const init = { status, headers: unmarked(flat) };
    // In Fetch a Response with one of these statuses cannot have a body.
    const isNull = status === 204 || status === 205 || status === 304;
    if (body !== undefined) return new globalThis.Response(isNull ? null : (body as ResponseBody), init);
    if (areInstalled()) return LightResponse.held(status, flat, this) as never;
    if (!isNull && this.request.method !== 'HEAD') return new PlatformResponse(this.stream, init);
    this.#mode = 'bodiless';
    return new PlatformResponse(null, init);
  }

  override write(chunk: Uint8Array | string): Promise<void> {
    if (this.#state === 'started') requireContent(chunk, 'a piece');
    const written = this.#write(chunk);
    // An application that does not await a write must not lose its thread to a cut (docs/sgi.md, rule 2.7).
    written.catch((error: { code?: unknown }) => {
      if (error.code !== 'SLUICE_EXCHANGE_CLOSED') throw error;
    });
    return written;
  }

  async #write(chunk: Uint8Array | string): Promise<void> {
    if (this.#state !== 'started' || this.inner.signal.aborted) throw this.#misplaced();
    if (this.#mode === 'held') await this.#untilCommitted();
    if (this.#mode === 'direct') return this.inner.write(chunk);
    await this.#piped?.write(chunk);
  }

  #untilCommitted(): Promise<void> {
    const { signal } = this.inner;
    if (signal.aborted) return Promise.reject(signal.reason);
    const { promise, reject } = Promise.withResolvers<void>();
    const cut = () => reject(signal.reason);
    signal.addEventListener('abort', cut);
    return Promise.race([this.#committed.promise, promise]).finally(() =>
      signal.removeEventListener('abort', cut),
    );
  }

  override end(trailers?: FieldsInit): void {
    if (this.#state !== 'started') throw this.#misplaced();
    const flat = flattenTrailers(trailers);
    if (this.#state !== 'started') throw this.#misplaced();
    this.#state = 'ended';
    if (this.#mode === 'held')
      void this.#committed.promise.then(() => this.#end(flat)).catch((error) => this.fail(error));
    else this.#end(flat);
  }

  #end(flat: readonly string[]): void {
    if (this.#mode === 'direct') {
      super.end(new FlatFields(flat));
    } else {
      if (flat.length > 0 && this.#downgrade.trailers === 'refuse') refuse('trailers', WHY_PIPED);
      this.#piped?.end();
    }
    this.#complete();
  }

  override inform(status: number, fields?: FieldsInit): void {
    this.#mustBeIdle();
    requireInterimStatus(status);
    const flat = flatten(fields);
    if (!this.capabilities.informational && this.#downgrade.informational === 'refuse') {
      refuse('informational', 'a Request of somebody else’s has no interim responses');
    }
    this.inner.inform(status, new FlatFields(flat));
  }

  override async push(request: PushRequest): Promise<PushedResponse | null> {
    if (this.capabilities.push && this.#mode !== 'piped') return this.inner.push(request);
    const { path } = pendingPush(request);
    if (this.#downgrade.push === 'refuse') refuse('push', WHY_PIPED);
    if (this.#downgrade.push === 'preload' && this.#state === 'idle') {
      const link = preloadLink(path);
      this.#preloads.push(link);
      this.inform(103, { link });
    }
    return null;
  }

  override reset(code?: number): void {
    if (!this.capabilities.reset && this.#downgrade.reset === 'refuse') {
      refuse('reset', 'a Request of somebody else’s has no reset with a code');
    }
    this.inner.reset(code);
    if (this.inner.signal.aborted) this.fail(this.inner.signal.reason);
  }

  override accept(): Tunnel {
    throw new HostError(
      'SLUICE_NOT_A_TUNNEL',
      'expected an application that is not below a Fetch handler, which has no tunnels',
    );
  }

  override get writableBytes(): number {
    if (this.#state !== 'started') return 0;
    if (this.#mode === 'direct') return this.inner.writableBytes;
    return this.#piped?.room ?? 0;
  }

  #mustBeIdle(): void {
    if (this.inner.signal.aborted) throw this.inner.signal.reason;
    if (this.#state === 'idle') return;
    throw responseStarted();
  }

  #misplaced(): Error {
    if (this.inner.signal.aborted) return this.inner.signal.reason as Error;
    return notStartedOrEnded(this.#state === 'idle');
  }
}

function unmarked(flat: readonly string[]): [name: string, value: string][] {
  const lines: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) lines.push([plainName(flat[i] as string), flat[i + 1] as string]);
  return lines;
}
