/**
 * An exchange as a middleware passes it on: everything goes through to the inner exchange, and a subclass
 * overrides what it changes.
 *
 * An extension must not bypass what a subclass changes. So an extension that bypasses a part of the exchange
 * is hidden as soon as a method that carries this part is overridden, even if the middleware does not know
 * the extension. To let an extension through anyway, override `extension`. A promised response would bypass
 * the subclass in the same way. So a subclass that changes the response has no push unless it also overrides
 * `push`, if only to declare that pushed responses need no change.
 */

import { NOTHING_WITHHELD, requireFeatures } from '../exchange/capabilities.ts';
import { HostError } from '../exchange/errors.ts';
import { pendingPush } from '../exchange/pushes.ts';
import { requireInterimStatus, requirePadding } from '../exchange/values.ts';
import { flatten, flattenTrailers } from '../fields/sent.ts';
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
  /** The exchange that this one wraps. */
  readonly inner: Exchange;
  readonly #takes: readonly Withheld[];
  #capabilities: Capabilities | null = null;

  /** @param takes the features that this layer withholds in addition, and why */
  constructor(inner: Exchange, takes: readonly Withheld[] = NOTHING_WITHHELD) {
    this.inner = inner;
    this.#takes = takes;
  }

  get request(): ExchangeRequest {
    return this.inner.request;
  }

  get capabilities(): Capabilities {
    this.#capabilities ??= without(this.inner.capabilities, this.#taken());
    return this.#capabilities;
  }

  get withheld(): readonly Withheld[] {
    const { capabilities, withheld } = this.inner;
    const taken = this.#taken().filter(({ feature }) => capabilities[feature]);
    return taken.length === 0 ? withheld : [...withheld, ...taken];
  }

  #taken(): readonly Withheld[] {
    const changed = partsChangedBy(this);
    const changesResponse = changed.has('response-head') || changed.has('response-body');
    if (!changesResponse || isOverridden(Object.getPrototypeOf(this), 'push')) return this.#takes;
    const why = `${this.constructor.name} changes responses, and pushed responses would bypass it`;
    return [...this.#takes, { feature: 'push', why }];
  }

  /** The outer layers handle what is missing there; they may have a replacement for it. */
  #passes(feature: Feature): boolean {
    return this.capabilities[feature] || !this.#taken().some((one) => one.feature === feature);
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
    if (this.#passes('informational')) {
      this.inner.inform(status, fields);
      return;
    }
    // No outer layer checks what is dropped here.
    requireInterimStatus(status);
    flatten(fields);
  }

  respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    this.inner.respond(status, fields, body);
  }

  write(chunk: Uint8Array | string): Promise<void> {
    return this.inner.write(chunk);
  }

  end(trailers?: FieldsInit): void {
    if (this.#passes('trailers')) {
      this.inner.end(trailers);
      return;
    }
    flattenTrailers(trailers);
    this.inner.end();
  }

  async push(request: PushRequest): Promise<PushedResponse | null> {
    if (this.#passes('push')) return this.inner.push(request);
    pendingPush(request);
    return null;
  }

  accept(fields?: FieldsInit): Tunnel {
    if (!this.capabilities.tunnel && this.inner.capabilities.tunnel) {
      const why = this.withheld.find(({ feature }) => feature === 'tunnel')?.why;
      throw new HostError('SLUICE_NOT_A_TUNNEL', `expected a tunnel that can be accepted: ${why}`);
    }
    return this.inner.accept(fields);
  }

  reset(code?: number): void {
    this.inner.reset(code);
  }

  pad(toMultipleOf: number): void {
    if (this.#passes('padding')) this.inner.pad(toMultipleOf);
    else requirePadding(toMultipleOf);
  }

  closeConnection(): void {
    this.inner.closeConnection();
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

function without(capabilities: Capabilities, taken: readonly Withheld[]): Capabilities {
  if (!taken.some(({ feature }) => capabilities[feature])) return capabilities;
  const left: Record<Feature, boolean> = { ...capabilities };
  for (const { feature } of taken) left[feature] = false;
  return Object.freeze(left);
}

/** Which part of an exchange each member carries. */
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

/** Keyed by class, because a class changes the same parts in all its exchanges. */
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
