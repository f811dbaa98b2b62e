import type { Exchange } from '../../../../workers/gateway.ts';
import { enter, session } from './session.ts';

export default class Handler {
  #found = '';

  onHeaders(exchange: Exchange): void {
    this.#found = enter(exchange.request.fields.get('x-user'));
  }

  onEnd(exchange: Exchange): void {
    exchange.respond(200, {}, `${this.#found}, then ${session.getStore()}`);
  }
}
