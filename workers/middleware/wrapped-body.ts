/**
 * A request body as a middleware passes it on: the pieces come from elsewhere, the rest of the interface is
 * the same.
 */
import { HostError } from '../exchange/errors.ts';
import { wholeBody } from '../exchange/whole-body.ts';
import type { ExchangeBody } from '../gateway.ts';

export class WrappedBody implements ExchangeBody {
  readonly #inner: Pick<ExchangeBody, 'isAtEnd'>;
  readonly #pieces: () => AsyncIterator<Uint8Array>;
  #state: 'unused' | 'used' = 'unused';

  /**
   * @param inner knows whether anything is left
   * @param pieces is called once, when the body is read for the first time
   */
  constructor(inner: Pick<ExchangeBody, 'isAtEnd'>, pieces: () => AsyncIterator<Uint8Array>) {
    this.#inner = inner;
    this.#pieces = pieces;
  }

  get isAtEnd(): boolean {
    return this.#inner.isAtEnd;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#state === 'used') {
      throw new HostError('SLUICE_BODY_USED', 'expected the body to be read once, got a second reader');
    }
    this.#state = 'used';
    return this.#pieces();
  }

  bytes(limitBytes?: number): Promise<Uint8Array<ArrayBuffer>> {
    return wholeBody(this, limitBytes);
  }

  async text(limitBytes?: number): Promise<string> {
    return new TextDecoder().decode(await this.bytes(limitBytes));
  }
}
