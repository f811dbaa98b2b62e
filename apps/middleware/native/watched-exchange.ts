/**
 * An exchange that knows whether its response has begun, for layers that respond in place of an application
 * that has failed.
 */
import type { FieldsInit, PushedResponse, PushRequest, Tunnel } from '../../../workers/gateway.ts';
import { WrappedExchange } from '../../../workers/middleware/compose.ts';

/**
 * It hides extensions that send a response by themselves, because it would not notice. Nothing else is
 * withheld.
 */
export class WatchedExchange extends WrappedExchange {
  #state: 'unanswered' | 'answered' = 'unanswered';

  /** No response has begun, and the peer is still there. */
  get isUnanswered(): boolean {
    return this.#state === 'unanswered' && !this.signal.aborted;
  }

  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    super.respond(status, fields, body);
    this.#state = 'answered';
  }

  override accept(fields?: FieldsInit): Tunnel {
    const tunnel = super.accept(fields);
    this.#state = 'answered';
    return tunnel;
  }

  /** A promise, kept or broken, is not a response to this exchange. */
  override push(request: PushRequest): Promise<PushedResponse | null> {
    return super.push(request);
  }
}
