/**
 * A response as an application writes it: what its calls may do when, and what each is in messages. A promised request is answered
 * by the same.
 */
import { HostError } from './errors.ts';
import {
  contentLengthOf,
  flatten,
  flattenTrailers,
  requireNoContentLength,
  withContentLength,
} from './fields/sent.ts';
import type { Capabilities, ExchangeRequest, FieldsInit } from './gateway.ts';
import type { Outlet } from './outlet.ts';
import { backlog, refusal, unheard } from './refusals.ts';
import { MAX_QUEUED_MESSAGES } from './response-queue.ts';
import {
  isBodiless,
  lacksLength,
  requireFit,
  requireLength,
  requireNoTunnelContent,
  requireRefusalOfTunnel,
} from './response-rules.ts';
import { SlotOutput } from './slot-output.ts';
import { contentOf, requireFinalStatus, requireInterimStatus, requirePadding } from './values.ts';

const NO_BYTES = new Uint8Array(0);
/** In HEAD: the tunnel is accepted. What the peer gets is its protocol's word for that. */
const SWITCHING_PROTOCOLS = 101;
const TOO_LARGE_FIELDS = Object.freeze({ 'content-type': 'text/plain; charset=utf-8' });

export abstract class HostedResponse extends SlotOutput {
  readonly request: ExchangeRequest;
  readonly #isHead: boolean;
  /** The response has no content whatever the application writes: HEAD, 204, 304 (RFC 9110 section 6.4.1). */
  #bodiless = false;
  /** Content-Length still to be written; -1 when the application declared none. */
  #declaredBytes = -1;

  constructor(outlet: Outlet<SlotOutput>, slot: number, request: ExchangeRequest) {
    super(outlet, slot);
    this.request = request;
    this.#isHead = request.method === 'HEAD';
  }

  /** Its answer is to be a tunnel. */
  protected get asksForTunnel(): boolean {
    return this.request.protocol !== '' || this.request.method === 'CONNECT';
  }

  // ---- the application's side

  abstract readonly capabilities: Capabilities;

  pad(toMultipleOf: number): void {
    requirePadding(toMultipleOf);
    if (!this.capabilities.padding || this.response === 'ended' || this.response === 'cut') return;
    if (this.isQueueFull) {
      throw backlog(`${MAX_QUEUED_MESSAGES} messages wait to be sent and that is the limit`);
    }
    this.sendBetween('pad', toMultipleOf, null);
  }

  inform(status: number, fields?: FieldsInit): void {
    this.#mustBeIdle();
    requireInterimStatus(status);
    if (this.isQueueFull) {
      throw backlog(`${MAX_QUEUED_MESSAGES} interim responses wait to be sent and that is the limit`);
    }
    const flat = this.#flatten(fields);
    requireNoContentLength(flat);
    requireFit(flat, this.outlet.maxHeadBytes);
    this.sendBetween('inform', status, flat);
  }

  /** The response is a tunnel's two streams of bytes. */
  protected startTunnel(fields: FieldsInit | undefined): void {
    this.#mustBeIdle();
    const flat = this.#flatten(fields);
    requireFit(flat, this.outlet.maxHeadBytes);
    requireNoTunnelContent(flat);
    this.sendStart(SWITCHING_PROTOCOLS, flat);
  }

  respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    this.#mustBeIdle();
    requireFinalStatus(status);
    if (this.asksForTunnel) requireRefusalOfTunnel(this.request, status);
    const flat = this.#flatten(fields);
    const headBytes = requireFit(flat, this.outlet.maxHeadBytes);
    const declared = contentLengthOf(flat);
    const hasNoBody = isBodiless(this.#isHead, status);
    if (body === undefined) {
      this.#bodiless = hasNoBody;
      this.#declaredBytes = hasNoBody ? -1 : declared;
      this.sendStart(status, flat);
      return;
    }
    const bytes = contentOf(body, 'a body');
    requireLength(declared, bytes.length, status);
    const head = lacksLength(declared, status) ? withContentLength(flat, bytes.length) : flat;
    if (hasNoBody || bytes.length === 0) {
      this.sendWhole(status, head, NO_BYTES);
    } else if (
      bytes.length <= this.credit &&
      bytes.length <= this.outlet.maxDataBytes &&
      bytes.length + headBytes <= this.outlet.maxHeadBytes
    ) {
      this.sendWhole(status, head, bytes);
    } else {
      this.sendStart(status, head);
      this.sendEnd(bytes, null);
    }
  }

  write(chunk: Uint8Array | string): Promise<void> {
    if (this.response !== 'started') return refusal(this.#notWritable());
    const bytes = contentOf(chunk, 'a piece');
    if (this.#bodiless || bytes.length === 0) return Promise.resolve();
    if (this.#declaredBytes !== -1 && bytes.length > this.#declaredBytes) {
      return Promise.reject(
        new HostError(
          'SLUICE_FIELD_INVALID',
          `expected at most ${this.#declaredBytes} more bytes, as content-length declared, got ${bytes.length}`,
        ),
      );
    }
    const limit = this.outlet.options.writeBacklogBytes;
    const waiting = this.waitingBytes;
    if (waiting > 0 && waiting + bytes.length > limit) {
      return this.#refuseWrite(`${waiting} bytes wait to be sent and the limit is ${limit}`);
    }
    if (this.isQueueFull) {
      return this.#refuseWrite(`${MAX_QUEUED_MESSAGES} pieces wait to be sent and that is the limit`);
    }
    if (this.#declaredBytes !== -1) this.#declaredBytes -= bytes.length;
    const written = Promise.withResolvers<void>();
    this.sendPiece(bytes, written);
    return written.promise;
  }

  /**
   * Sends a piece in one message, without a promise. False: it would wait, for credit, for room or behind another, and nothing was
   * sent. For tunnels, whose pieces were counted by nobody before.
   */
  tryWrite(bytes: Uint8Array): boolean {
    if (this.response !== 'started' || this.#bodiless || this.#declaredBytes !== -1) return false;
    return this.tryPiece(bytes);
  }

  /**
   * A piece is lost: whatever followed, an `end` above all, would pass a body with a hole off as whole. The rejection may go
   * unheard, as the application did not wait before; the host reports it when the function is over.
   */
  #refuseWrite(found: string): Promise<never> {
    const error = backlog(found);
    this.fail(error);
    return unheard(error);
  }

  end(trailers?: FieldsInit): void {
    if (this.response !== 'started') throw this.#notWritable();
    if (this.#declaredBytes > 0) {
      throw new HostError(
        'SLUICE_FIELD_INVALID',
        `expected ${this.#declaredBytes} more bytes before the end, as content-length declared`,
      );
    }
    const flat = flattenTrailers(trailers);
    // What gives the lines is the application's, and may have called us.
    if (this.response !== 'started') throw this.#notWritable();
    requireFit(flat, this.outlet.maxHeadBytes);
    if (flat.length > 0 && !this.#isHead) this.sendEnd(null, flat);
    else this.sendEnd(NO_BYTES, null);
  }

  get writableBytes(): number {
    return this.response === 'started' ? Math.max(0, this.credit - this.waitingBytes) : 0;
  }

  /** What gives the lines is the application's: it may throw, and it may have called us, so that the response is another now. */
  #flatten(fields: FieldsInit | undefined): readonly string[] {
    const flat = flatten(fields);
    this.#mustBeIdle();
    return flat;
  }

  #mustBeIdle(): void {
    if (this.response === 'idle') return;
    throw (
      this.whyCut ??
      new HostError('SLUICE_RESPONSE_STARTED', 'expected no response yet, its head has been sent already')
    );
  }

  /** Why nothing can be added to the response; null: it can. */
  protected get whyOver(): HostError | null {
    return this.response === 'idle' || this.response === 'started' ? null : this.#notWritable();
  }

  #notWritable(): HostError {
    const cut = this.whyCut;
    if (cut !== null) return cut;
    return this.response === 'idle'
      ? new HostError('SLUICE_RESPONSE_NOT_STARTED', 'expected respond() before write() and end()')
      : new HostError('SLUICE_RESPONSE_ENDED', 'expected nothing after the end of the response');
  }

  // ---- the host's side

  /** The application wanted no more of a body than has come, and threw: 413. False: a response has begun, and it has failed. */
  refuseContent(): boolean {
    if (this.response !== 'idle' || !this.isOpen) return false;
    this.respond(413, TOO_LARGE_FIELDS, '413 Content Too Large\n');
    return this.onReturn();
  }
}
