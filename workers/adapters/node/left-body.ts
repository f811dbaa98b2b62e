/**
 * The body of a request below legacy layers: what they have not read yet, or the whole body again if they have read it and kept the
 * bytes unchanged, as `express.raw` does in `req.body`.
 */
import { HostError } from '../../exchange/errors.ts';
import type { ExchangeBody } from '../../gateway.ts';
import type { NodePair } from './pair.ts';

export class LeftBody implements Pick<ExchangeBody, 'isAtEnd'> {
  readonly #pair: NodePair;
  readonly #kept: Uint8Array | null;
  #state: 'untaken' | 'taken' = 'untaken';

  constructor(pair: NodePair) {
    this.#pair = pair;
    this.#kept = keptBody(pair);
  }

  get isAtEnd(): boolean {
    if (this.#kept !== null) return this.#state === 'taken' || this.#kept.length === 0;
    const { req, exchange } = this.#pair;
    return req.readableEnded || (exchange.body.isAtEnd && req.readableLength === 0);
  }

  pieces(): AsyncIterator<Uint8Array> {
    const { req, exchange } = this.#pair;
    if (this.#kept !== null) return this.#again(this.#kept);
    if (!req.readableEnded && !req.destroyed) {
      return req.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
    }
    if (exchange.signal.aborted) throw exchange.signal.reason;
    throw new HostError(
      'SLUICE_BODY_USED',
      'expected one reading of the body, a legacy layer above has read it (its result may be in req.body)',
    );
  }

  async *#again(kept: Uint8Array): AsyncGenerator<Uint8Array> {
    this.#state = 'taken';
    if (kept.length > 0) yield kept;
  }
}

/** The kept bytes. A parsed object or an inflated body is not what the peer sent, so it gives null. */
function keptBody({ req }: NodePair): Uint8Array | null {
  if (!req.readableEnded) return null;
  const { body } = req as { readonly body?: unknown };
  const isAsItCame = (req.headers['content-encoding'] ?? 'identity') === 'identity';
  return isAsItCame && body instanceof Uint8Array ? body : null;
}
