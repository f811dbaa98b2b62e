/**
 * An exchange as a middleware hands it on: everything goes through to the one below, and a subclass overrides what it changes.
 *
 * What a subclass changes, an extension must not go past. So an extension that bypasses a part of the exchange is
 * hidden as soon as a method that carries this part is overridden; the middleware need not have heard of the extension.
 * To let one through all the same, override `extension`.
 */

import { requireFeatures } from '../capabilities.ts';
import type {
  Capabilities,
  Closed,
  Exchange,
  ExchangeBody,
  ExchangePart,
  ExchangeRequest,
  ExtensionKey,
  Feature,
  Fields,
  FieldsInit,
  PushedResponse,
  PushRequest,
  Tunnel,
  Withheld,
} from '../gateway.ts';

export class WrappedExchange implements Exchange {
  /** What this one stands around. */
  readonly inner: Exchange;

  constructor(inner: Exchange) {
    this.inner = inner;
  }

  get request(): ExchangeRequest {
    return this.inner.request;
  }

  get capabilities(): Capabilities {
    return this.inner.capabilities;
  }

  get withheld(): readonly Withheld[] {
    return this.inner.withheld;
  }

  require(...features: readonly Feature[]): void {
    requireFeatures(this, features);
  }

  extension<T>(key: ExtensionKey<T>): T | null {
    const changed = partsChangedBy(this);
    return key.bypasses.some((part) => changed.has(part)) ? null : this.inner.extension(key);
  }

  get body(): ExchangeBody {
    return this.inner.body;
  }

  get trailers(): Promise<Fields> {
    return this.inner.trailers;
  }

  inform(status: number, fields?: FieldsInit): void {
    this.inner.inform(status, fields);
  }

  respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    this.inner.respond(status, fields, body);
  }

  write(chunk: Uint8Array | string): Promise<void> {
    return this.inner.write(chunk);
  }

  end(trailers?: FieldsInit): void {
    this.inner.end(trailers);
  }

  push(request: PushRequest): Promise<PushedResponse | null> {
    return this.inner.push(request);
  }

  accept(fields?: FieldsInit): Tunnel {
    return this.inner.accept(fields);
  }

  reset(code?: number): void {
    this.inner.reset(code);
  }

  pad(toMultipleOf: number): void {
    this.inner.pad(toMultipleOf);
  }

  get writableBytes(): number {
    return this.inner.writableBytes;
  }

  get signal(): AbortSignal {
    return this.inner.signal;
  }

  get draining(): AbortSignal {
    return this.inner.draining;
  }

  get closed(): Promise<Closed> {
    return this.inner.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.inner[Symbol.asyncDispose]();
  }
}

/** Which part of an exchange goes through which member. */
const CARRIES: readonly (readonly [member: keyof Exchange, part: ExchangePart])[] = [
  ['request', 'request'],
  ['body', 'request-body'],
  ['trailers', 'request-body'],
  ['respond', 'response-head'],
  ['respond', 'response-body'],
  ['accept', 'response-head'],
  ['write', 'response-body'],
  ['end', 'response-body'],
];

/** By class: what it changes is the same for all its exchanges. */
const known = new WeakMap<object, ReadonlySet<ExchangePart>>();

function partsChangedBy(exchange: WrappedExchange): ReadonlySet<ExchangePart> {
  const prototype = Object.getPrototypeOf(exchange);
  let changed = known.get(prototype);
  if (changed === undefined) {
    changed = new Set(CARRIES.filter(([member]) => isOverridden(prototype, member)).map(([, part]) => part));
    known.set(prototype, changed);
  }
  return changed;
}

function isOverridden(prototype: object, member: keyof Exchange): boolean {
  for (let at = prototype; at !== WrappedExchange.prototype; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, member)) return true;
  }
  return false;
}
