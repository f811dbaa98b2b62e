/** The body of a request without content, which most requests are. It exists because adapters ask each request whether it has content. */
import type { ExchangeBody } from '../gateway.ts';
import { HostError } from './errors.ts';
import { wholeBody } from './whole-body.ts';

type Result = IteratorResult<Uint8Array, undefined>;

const DONE: Result = Object.freeze({ value: undefined, done: true });

export class EmptyBody implements ExchangeBody, AsyncIterator<Uint8Array, undefined> {
  #state: 'untaken' | 'taken' = 'untaken';

  get isAtEnd(): boolean {
    return true;
  }

  next(): Promise<Result> {
    return Promise.resolve(DONE);
  }

  return(): Promise<Result> {
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    if (this.#state === 'taken')
      throw new HostError('SLUICE_BODY_USED', 'expected one reading of the body, this is the second');
    this.#state = 'taken';
    return this;
  }

  bytes(limitBytes?: number): Promise<Uint8Array<ArrayBuffer>> {
    return wholeBody(this, limitBytes);
  }

  async text(limitBytes?: number): Promise<string> {
    await this.bytes(limitBytes);
    return '';
  }
}
