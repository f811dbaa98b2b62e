import type { Exchange } from '../../../../workers/gateway.ts';
import { SIGNALS_FIELD } from '../../../server/signals.ts';
import { Watch } from './watch.ts';

export default class Handler {
  #watch: Watch | null = null;

  onHeaders(exchange: Exchange): void {
    this.#watch = new Watch(exchange.request.fields.get('x-user'));
    exchange.respond(200, {});
  }

  async onData(exchange: Exchange, chunk: Uint8Array): Promise<void> {
    this.#watch?.see('data');
    await exchange.write(chunk);
    this.#watch?.see('written');
  }

  onEnd(exchange: Exchange): void {
    this.#watch?.see('end');
    exchange.end();
  }

  onClose(exchange: Exchange): void {
    this.#watch?.see('close');
    this.#watch?.tell(exchange.request.fields.get(SIGNALS_FIELD) as string);
  }
}
