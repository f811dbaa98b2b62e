/** The half of a pair that receives the request. It pulls one piece at a time from the exchange; each pull grants credit. */
import { ReceivedFields } from '../../fields/received.ts';
import type { Exchange } from '../../gateway.ts';
import type { Incoming } from './request.ts';

/** What a reader needs of its pair. */
export interface ReaderOwner {
  readonly exchange: Exchange;
  readonly req: Incoming;
  /** A piece has been received, or the end. */
  received(): void;
  /** The whole request has been received. */
  requestEnded(): void;
}

export class RequestReader {
  readonly #owner: ReaderOwner;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #state: 'idle' | 'pulling' = 'idle';
  receivedBytes = 0;

  constructor(owner: ReaderOwner) {
    this.#owner = owner;
    this.#pieces = owner.exchange.body[Symbol.asyncIterator]();
  }

  /** Node's stream wants more. */
  pull(): void {
    if (this.#state === 'pulling') return;
    this.#state = 'pulling';
    this.#pieces.next().then(
      ({ value, done }) => this.#take(value, done === true),
      (error: Error) => {
        // The pair reports an exchange that was cut off, as Node would.
        if ((error as { code?: string }).code !== 'SLUICE_EXCHANGE_CLOSED') this.#owner.req.destroy(error);
      },
    );
  }

  #take(piece: Uint8Array, isEnd: boolean): void {
    this.#state = 'idle';
    this.#owner.received();
    if (isEnd) {
      void this.#endWithTrailers();
      return;
    }
    this.receivedBytes += piece.length;
    const { req } = this.#owner;
    if (!req.destroyed) req.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
  }

  async #endWithTrailers(): Promise<void> {
    const { exchange, req } = this.#owner;
    let flat: readonly string[];
    try {
      flat = ReceivedFields.flat(await exchange.trailers);
    } catch {
      // The exchange was cut off after the last byte; the pair reports that.
      return;
    }
    req.complete = true;
    if (flat.length > 0) req._addHeaderLines(flat, flat.length);
    this.#owner.requestEnded();
  }
}
