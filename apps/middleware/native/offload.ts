/**
 * Processes response bodies on another thread, with a function of a module that runs in a Piscina pool.
 *
 * The difficulty it demonstrates: work on another thread needs the whole body, so the response can no longer
 * stream. A layer that collects must declare that, and must limit what it collects.
 */
import type { Piscina } from 'piscina';
import type { FieldsInit, Middleware } from '../../../workers/gateway.ts';
import { FieldList, WrappedExchange } from '../../../workers/middleware/compose.ts';
import { rejection } from './rejection.ts';

export interface OffloadOptions {
  /** Its task takes a Uint8Array and returns one. */
  readonly pool: Pick<Piscina, 'run'>;
  /** Most bytes of a body; a larger one fails its exchange. */
  readonly limitBytes?: number;
}

export function offload({ pool, limitBytes = 4 * 1024 * 1024 }: OffloadOptions): Middleware {
  return (application) => async (exchange) => {
    const collecting = new CollectingExchange(exchange, limitBytes);
    await application(collecting);
    const collected = collecting.take();
    if (collected === null) return;
    const fields = new FieldList(collected.fields);
    if (fields.has('content-encoding')) {
      // A layer below has transformed the body, so the work does not apply to it.
      exchange.respond(collected.status, fields, collected.body);
      return;
    }
    // If the peer has gone, the work is not needed.
    const body = await pool.run(collected.body, { signal: exchange.signal });
    exchange.respond(collected.status, fields.delete('content-length'), body);
  };
}

interface Collected {
  readonly status: number;
  readonly fields: FieldsInit;
  readonly body: Uint8Array;
}

const WITHHELD = [
  {
    feature: 'streaming',
    why: 'offload collects the body and sends it after another thread has processed it',
  },
  { feature: 'trailers', why: 'offload sends the response in one piece, which has no trailers' },
  { feature: 'padding', why: 'offload sends the response itself' },
] as const;

class CollectingExchange extends WrappedExchange {
  readonly #limitBytes: number;
  #status = 0;
  #fields: FieldsInit = {};
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #state: 'idle' | 'started' | 'ended' = 'idle';

  constructor(inner: WrappedExchange['inner'], limitBytes: number) {
    super(inner, WITHHELD);
    this.#limitBytes = limitBytes;
  }

  override respond(status: number, fields: FieldsInit = {}, body?: Uint8Array | string): void {
    this.signal.throwIfAborted();
    if (this.#state !== 'idle') throw misuse('SLUICE_RESPONSE_STARTED', 'one head');
    this.#state = 'started';
    this.#status = status;
    this.#fields = fields;
    if (body === undefined) return;
    this.#keep(body);
    this.#state = 'ended';
  }

  override write(chunk: Uint8Array | string): Promise<void> {
    try {
      this.#collect(chunk);
      return Promise.resolve();
    } catch (error) {
      return rejection(error);
    }
  }

  #collect(chunk: Uint8Array | string): void {
    this.signal.throwIfAborted();
    if (this.#state === 'idle') throw misuse('SLUICE_RESPONSE_NOT_STARTED', 'respond() before write()');
    if (this.#state === 'ended') throw misuse('SLUICE_RESPONSE_ENDED', 'nothing after end()');
    this.#keep(chunk);
  }

  override end(): void {
    this.signal.throwIfAborted();
    if (this.#state === 'idle') throw misuse('SLUICE_RESPONSE_NOT_STARTED', 'respond() before end()');
    if (this.#state === 'ended') throw misuse('SLUICE_RESPONSE_ENDED', 'one end()');
    this.#state = 'ended';
  }

  override get writableBytes(): number {
    return this.#state === 'started' ? this.#limitBytes - this.#bytes : 0;
  }

  #keep(chunk: Uint8Array | string): void {
    // The application may reuse its memory when `write` has resolved.
    const piece = Buffer.from(chunk);
    this.#bytes += piece.length;
    if (this.#bytes > this.#limitBytes) {
      throw new RangeError(`expected a body of at most ${this.#limitBytes} bytes to work on, got more`);
    }
    this.#pieces.push(piece);
  }

  /** The response, if the application has made one here; null if it accepted a tunnel or was cut off. */
  take(): Collected | null {
    if (this.#state !== 'ended') return null;
    return { status: this.#status, fields: this.#fields, body: Buffer.concat(this.#pieces) };
  }
}

function misuse(code: string, expected: string): Error {
  return Object.assign(new Error(`expected ${expected}`), { code });
}
