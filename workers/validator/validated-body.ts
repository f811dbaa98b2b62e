/** Checks the request's body between the two sides: rules 4.2 to 4.7 of docs/sgi.md. */

import { requireLimit } from '../exchange/values.ts';
import { DEFAULT_LIMIT_BYTES } from '../exchange/whole-body.ts';
import type { ExchangeBody } from '../gateway.ts';
import type { Report } from './report.ts';

/** What the body needs from its exchange. */
export interface BodyOwner {
  readonly report: Report;
  /** @throws Violation if the function is over */
  mustHold(what: string): void;
  /** The exchange was cut off before the request was complete. */
  readonly isCut: boolean;
  /** The body has ended regularly. */
  onEnd(): void;
}

export class ValidatedBody implements ExchangeBody {
  readonly #inner: ExchangeBody;
  readonly #owner: BodyOwner;
  #state: 'unread' | 'reading' | 'pulling' | 'over' = 'unread';

  constructor(inner: ExchangeBody, owner: BodyOwner) {
    this.#inner = inner;
    this.#owner = owner;
  }

  get isAtEnd(): boolean {
    return this.#inner.isAtEnd;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const { report } = this.#owner;
    this.#owner.mustHold('body');
    if (this.#state !== 'unread')
      throw report.application('4.3', 'expected the body to be read once, got a second reader');
    this.#state = 'reading';
    const reader = this.#inner[Symbol.asyncIterator]();
    return {
      next: () => this.#pull(reader),
      return: async () => {
        this.#state = 'over';
        await reader.return?.();
        return { value: undefined, done: true };
      },
    };
  }

  async #pull(reader: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    const { report } = this.#owner;
    if (this.#state === 'pulling')
      throw report.application('4.3', 'expected one reader of the body, but a pull is pending');
    if (this.#state === 'over') return { value: undefined, done: true };
    this.#state = 'pulling';
    try {
      const result = await reader.next();
      this.#state = result.done === true ? 'over' : 'reading';
      if (result.done === true) this.#ended();
      else this.#check(result.value);
      return result;
    } catch (error) {
      this.#state = 'over';
      throw error;
    }
  }

  #check(piece: unknown): void {
    if (!(piece instanceof Uint8Array))
      this.#owner.report.server('4.2', `expected pieces of bytes, got ${typeof piece}`);
    else if (piece.length === 0) this.#owner.report.server('4.2', 'expected pieces that are not empty');
    else if (piece.buffer instanceof SharedArrayBuffer) {
      this.#owner.report.server('4.2', 'expected a piece to have memory of its own, but it is shared');
    }
  }

  #ended(): void {
    if (this.#owner.isCut)
      this.#owner.report.server('4.7', 'expected a body that was cut off to reject, but it ended');
    this.#owner.onEnd();
  }

  /** Calls the server's own method, which must keep the limit. */
  async bytes(limitBytes: number = DEFAULT_LIMIT_BYTES): Promise<Uint8Array<ArrayBuffer>> {
    const { report } = this.#owner;
    this.#owner.mustHold('body');
    if (this.#state !== 'unread')
      throw report.application('4.3', 'expected the body to be read once, got a second reader');
    this.#mustBeLimit(limitBytes);
    this.#state = 'over';
    const whole = await this.#inner.bytes(limitBytes);
    if (!(whole instanceof Uint8Array)) report.server('4.4', `expected bytes, got ${typeof whole}`);
    else if (whole.length > limitBytes)
      report.server('4.4', `expected at most ${limitBytes} bytes, got ${whole.length}`);
    this.#ended();
    return whole;
  }

  #mustBeLimit(limitBytes: unknown): void {
    try {
      requireLimit(limitBytes);
    } catch (error) {
      this.#owner.report.application('2.8', (error as Error).message);
      throw error;
    }
  }

  async text(limitBytes?: number): Promise<string> {
    return new TextDecoder().decode(await this.bytes(limitBytes));
  }
}
