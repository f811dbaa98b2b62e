/** An exchange that knows whether its response has begun: for layers that answer in an application's place when it has failed. */
import type { FieldsInit, PushedResponse, PushRequest, Tunnel } from '../../../workers/gateway.ts';
import { WrappedExchange } from '../../../workers/middleware/compose.ts';

/** It hides extensions that answer by themselves, since it would not know; nothing else is taken away. */
export class WatchedExchange extends WrappedExchange {
  #state: 'unanswered' | 'answered' = 'unanswered';

  /** Nobody has been answered, and somebody is there to be. */
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

  /** A promise that is kept or broken is no answer. */
  override push(request: PushRequest): Promise<PushedResponse | null> {
    return super.push(request);
  }
}
