/**
 * Gzip for responses that are worth it (RFC 9110 section 8.4.1.3).
 *
 * The difficulty it demonstrates: it changes the length, the validators and every piece, and a stream must
 * stay a stream. A file sent around it would be sent uncompressed. So it hides extensions that bypass bodies,
 * withholds push, flushes with every piece, and finishes after the application has called `end`, before the
 * function is over.
 */
import { once } from 'node:events';
import { constants, createGzip, type Gzip, gzipSync } from 'node:zlib';
import type { FieldsInit, Middleware } from '../../../workers/gateway.ts';
import { FieldList, WrappedExchange } from '../../../workers/middleware/compose.ts';
import { rejection } from './rejection.ts';

/** For a smaller response, the head of a gzip stream and the work cost more than they save. */
const WORTH_BYTES = 1024;
const COMPRESSIBLE = /^(?:text\/|application\/(?:.+\+)?(?:json|xml|javascript)|image\/svg\+xml)/i;
/** For an application that does not wait for its writes. */
const MAX_WAITING_BYTES = 1024 * 1024;

export function compression(): Middleware {
  return (application) => async (exchange) => {
    if (!accepts(exchange.request.fields.list('accept-encoding'))) return application(exchange);
    const compressed = new CompressedExchange(exchange);
    try {
      await application(compressed);
      await compressed.finished();
    } finally {
      compressed.release();
    }
  };
}

function accepts(codings: readonly string[]): boolean {
  return codings.some((coding) => /^(?:x-)?gzip(?:\s*;\s*q=(?:1(?:\.0*)?|0?\.\d*[1-9]\d*))?$/i.test(coding));
}

class CompressedExchange extends WrappedExchange {
  /**
   * `released`: the function is over, and this layer may no longer write on the exchange (rule 1.2 of the
   * gateway).
   */
  #state: 'plain' | 'compressing' | 'ended' | 'released' = 'plain';
  #gzip: Gzip | null = null;
  #ready: Buffer[] = [];
  /** Pieces are compressed and sent one after the other, whether the application waits or not. */
  #sending: Promise<void> = Promise.resolve();
  #waitingBytes = 0;

  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    const list = new FieldList(fields).add('vary', 'accept-encoding');
    if (!this.#isWorthIt(status, list, body)) {
      super.respond(status, list, body);
      return;
    }
    list.delete('content-length').set('content-encoding', 'gzip');
    // A compressed response is another representation: a strong validator would promise identical bytes (RFC
    // 9110 section 8.8.1).
    const etag = list.get('etag');
    if (etag?.startsWith('"')) list.set('etag', `W/${etag}`);
    super.respond(status, list, body === undefined ? undefined : gzipSync(body));
    if (body === undefined) this.#begin();
  }

  #isWorthIt(status: number, fields: FieldList, body?: Uint8Array | string): boolean {
    if (this.request.method === 'HEAD' || status === 204 || status === 206 || status === 304) return false;
    if (fields.has('content-encoding') || fields.has('content-range')) return false;
    if (fields.all('cache-control').some((value) => /\bno-transform\b/i.test(value))) return false;
    const bytes = body?.length ?? Number(fields.get('content-length') ?? WORTH_BYTES);
    return bytes >= WORTH_BYTES && COMPRESSIBLE.test(fields.get('content-type') ?? '');
  }

  #begin(): void {
    this.#state = 'compressing';
    const gzip = createGzip();
    gzip.on('data', (piece: Buffer) => this.#ready.push(piece));
    this.#gzip = gzip;
  }

  override write(chunk: Uint8Array | string): Promise<void> {
    if (this.#state === 'plain') return super.write(chunk);
    const gzip = this.#gzip;
    if (this.signal.aborted) return rejection(this.signal.reason);
    if (this.#state !== 'compressing' || gzip === null) {
      return rejection(misuse('SLUICE_RESPONSE_ENDED', 'nothing after the end of the response'));
    }
    if (this.#waitingBytes > 0 && this.#waitingBytes + chunk.length > MAX_WAITING_BYTES) {
      // A piece is lost, so the response must not look complete.
      this.reset(0x2);
      return rejection(misuse('SLUICE_WRITE_BACKLOG', 'sent pieces to be awaited'));
    }
    this.#waitingBytes += chunk.length;
    return this.#inTurn(async () => {
      gzip.write(chunk);
      await new Promise<void>((flushed) => gzip.flush(constants.Z_SYNC_FLUSH, flushed));
      await this.#sendReady();
      this.#waitingBytes -= chunk.length;
    });
  }

  override end(trailers?: FieldsInit): void {
    const gzip = this.#gzip;
    if (this.#state === 'plain' || gzip === null) {
      super.end(trailers);
      return;
    }
    if (this.#state !== 'compressing') throw misuse('SLUICE_RESPONSE_ENDED', 'one end of the response');
    this.#state = 'ended';
    void this.#inTurn(async () => {
      const ended = once(gzip, 'end');
      gzip.end();
      await ended;
      await this.#sendReady();
      this.#mustBeHeld();
      super.end(trailers);
    });
  }

  async #sendReady(): Promise<void> {
    const pieces = this.#ready;
    this.#ready = [];
    for (const piece of pieces) {
      this.#mustBeHeld();
      await super.write(piece);
    }
  }

  /** An application that fails does not wait for data that is still being compressed. */
  #mustBeHeld(): void {
    if (this.#state === 'released')
      throw misuse('SLUICE_RESPONSE_ENDED', 'nothing after the function is over');
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const sent = this.#sending.then(step);
    this.#sending = sent;
    // `finished` reports the error to an application that has not waited.
    sent.catch(() => undefined);
    return sent;
  }

  /** Resolves when everything has been passed on. */
  finished(): Promise<void> {
    return this.#sending;
  }

  release(): void {
    this.#state = 'released';
    this.#gzip?.destroy();
  }
}

function misuse(code: string, expected: string): Error {
  return Object.assign(new Error(`expected ${expected}`), { code });
}
