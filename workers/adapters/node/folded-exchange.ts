/**
 * The exchange of a native application below legacy layers that have changed a part of it. Parts that the layers left alone go directly
 * to the exchange above them; parts that they changed go through the layers (docs/sgi.md, rule 12.6).
 */
import { plainName } from '../../../wire/field-marks.ts';
import { pendingPush } from '../../exchange/pushes.ts';
import { notStartedOrEnded, responseStarted } from '../../exchange/refusals.ts';
import { requireContent, requireFinalStatus } from '../../exchange/values.ts';
import { FlatFields } from '../../fields/flat.ts';
import { flatten } from '../../fields/sent.ts';
import type {
  ExchangeBody,
  ExchangePart,
  ExchangeRequest,
  ExtensionKey,
  FieldsInit,
  PushedResponse,
  PushRequest,
  Tunnel,
} from '../../gateway.ts';
import { WrappedBody } from '../../middleware/wrapped-body.ts';
import { WrappedExchange } from '../../middleware/wrapped-exchange.ts';
import { type Downgrade, refuse } from '../downgrade.ts';
import { JOINED_FIELDS } from '../joined-fields.ts';
import { keepMarks } from '../kept-marks.ts';
import { preloadLink } from '../preload.ts';
import { LeftBody } from './left-body.ts';
import { refusedWrite, writtenTo } from './node-write.ts';
import type { NodePair } from './pair.ts';
import { type Patches, partsChangedBy, withheldBy } from './patches.ts';

export class FoldedExchange extends WrappedExchange {
  readonly #pair: NodePair;
  readonly #patches: Patches;
  readonly #downgrade: Downgrade;
  readonly #changed: ReadonlySet<ExchangePart>;
  readonly #body: ExchangeBody | null;
  readonly #preloads: string[] = [];
  #state: 'idle' | 'started' | 'ended' = 'idle';

  constructor(pair: NodePair, patches: Patches, downgrade: Downgrade) {
    super(pair.exchange, withheldBy(patches));
    this.#pair = pair;
    this.#patches = patches;
    this.#downgrade = downgrade;
    this.#changed = partsChangedBy(patches);
    this.#body = patches.readsBody ? leftOf(pair) : null;
    if (patches.body.length > 0 && downgrade.streaming === 'refuse') {
      refuse('streaming', 'a legacy layer writes the body');
    }
  }

  /** No legacy layer writes the body. */
  get isDirect(): boolean {
    return this.#patches.body.length === 0;
  }

  get isComplete(): boolean {
    return this.#state === 'ended';
  }

  override get request(): ExchangeRequest {
    return this.#patches.request ?? this.inner.request;
  }

  override get body(): ExchangeBody {
    return this.#body ?? this.inner.body;
  }

  override extension<T>(key: ExtensionKey<T>): T | null {
    return key.bypasses.some((part) => this.#changed.has(part)) ? null : this.inner.extension(key);
  }

  override async push(request: PushRequest): Promise<PushedResponse | null> {
    if (this.capabilities.push) return this.inner.push(request);
    const { path } = pendingPush(request);
    const { push } = this.#downgrade;
    if (push === 'refuse') this.require('push');
    if (push === 'preload' && this.#state === 'idle') {
      const link = preloadLink(path);
      this.#preloads.push(link);
      this.inform(103, { link });
    }
    return null;
  }

  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    this.#mustBeIdle();
    requireFinalStatus(status);
    const flat = [...flatten(fields)];
    this.#mustBeIdle();
    if (body !== undefined) requireContent(body, 'a body');
    for (const link of this.#preloads) flat.push('link', link);
    const { head } = this.#patches;
    if (!this.isDirect) this.#respondThrough(status, flat, body);
    else if (head.length > 0) this.#respondAfter(status, flat, body);
    else this.#respondMerged(status, flat, body);
    this.#state = body === undefined ? 'started' : 'ended';
  }

  /** The layers have only set fields: the exchange sends the head with both sides' fields. */
  #respondMerged(status: number, flat: string[], body?: Uint8Array | string): void {
    const merged = this.#mergedWith(flat);
    this.inner.respond(status, new FlatFields(merged), body);
    this.#pair.adopt(status, merged);
  }

  /** The layer writes the head; the body goes directly to the exchange. */
  #respondAfter(status: number, flat: string[], body?: Uint8Array | string): void {
    const { res } = this.#pair;
    this.#set(flat);
    if (body !== undefined && !res.hasHeader('content-length') && status !== 204 && status !== 304) {
      res.setHeader('content-length', Buffer.byteLength(body));
    }
    res.writeHead(status);
    const stored = this.#pair.storedHead;
    if (stored === null) {
      throw new Error('expected a legacy layer that writes the head when it is told to, it has not');
    }
    this.inner.respond(stored.status, new FlatFields(stored.flat), body);
    this.#pair.adopt(stored.status, null);
  }

  #respondThrough(status: number, flat: string[], body?: Uint8Array | string): void {
    const { res } = this.#pair;
    this.#set(flat);
    res.statusCode = status;
    if (body === undefined) res.writeHead(status);
    else res.end(body);
    this.#throwRefusal();
  }

  /** Node's response does not throw what the exchange refused, so the native application's call throws it here. */
  #throwRefusal(): void {
    const { failure } = this.#pair;
    if (failure !== null) throw failure.error;
  }

  /** The layers' fields that the application does not set, then the application's. */
  #mergedWith(flat: string[]): string[] {
    const { res } = this.#pair;
    const said = new Set<string>();
    for (let i = 0; i < flat.length; i += 2) said.add(plainName(flat[i]));
    const merged: string[] = [];
    for (const name of res.getHeaderNames()) {
      if (said.has(name) && !JOINED_FIELDS.has(name)) continue;
      for (const value of [res.getHeader(name)].flat()) merged.push(name, String(value).trim());
    }
    merged.push(...flat);
    return merged;
  }

  #set(flat: string[]): void {
    const { res } = this.#pair;
    const lines = this.#mergedWith(flat);
    keepMarks(this.#pair.exchange, lines);
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    for (let i = 0; i < lines.length; i += 2) {
      const name = plainName(lines[i]);
      const before = res.getHeader(name);
      res.setHeader(name, before === undefined ? lines[i + 1] : [before, lines[i + 1]].flat().map(String));
    }
  }

  override write(chunk: Uint8Array | string): Promise<void> {
    if (this.isDirect) return this.inner.write(chunk);
    if (this.#state !== 'started') return refusedWrite(this.#misplaced());
    requireContent(chunk, 'a piece');
    return writtenTo(this.#pair.res, chunk, this.inner.signal);
  }

  override end(trailers?: FieldsInit): void {
    if (this.#state !== 'started') throw this.#misplaced();
    const sent = this.capabilities.trailers || this.#downgrade.trailers === 'drop';
    if (!sent && flatten(trailers).length > 0) this.require('trailers');
    if (this.isDirect) {
      super.end(trailers);
    } else {
      const flat = flatten(trailers);
      const lines: [string, string][] = [];
      for (let i = 0; i < flat.length; i += 2) lines.push([flat[i], flat[i + 1]]);
      if (lines.length > 0 && this.capabilities.trailers) this.#pair.res.addTrailers(lines);
      this.#pair.res.end();
      this.#throwRefusal();
    }
    this.#state = 'ended';
  }

  override accept(fields?: FieldsInit): Tunnel {
    const merged = this.#mergedWith([...flatten(fields)]);
    const tunnel = super.accept(new FlatFields(merged));
    this.#pair.adopt(101, null);
    this.#state = 'ended';
    return tunnel;
  }

  override get writableBytes(): number {
    if (this.isDirect) return this.inner.writableBytes;
    const { res } = this.#pair;
    return this.#state === 'started' ? Math.max(0, res.writableHighWaterMark - res.writableLength) : 0;
  }

  #mustBeIdle(): void {
    if (this.inner.signal.aborted) throw this.inner.signal.reason;
    if (this.#state === 'idle' && !this.#pair.res.headersSent) return;
    throw responseStarted();
  }

  #misplaced(): Error {
    if (this.inner.signal.aborted) return this.inner.signal.reason as Error;
    return notStartedOrEnded(this.#state === 'idle');
  }
}

function leftOf(pair: NodePair): ExchangeBody {
  const left = new LeftBody(pair);
  return new WrappedBody(left, () => left.pieces());
}
