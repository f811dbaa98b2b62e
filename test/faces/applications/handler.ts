/** What a handler can do, by path; a class, so that each exchange has its own. */
import type { Closed, Exchange, Fields } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

export default class Handler {
  #length = 0;
  #signals: Signals | null = null;
  readonly #calls: string[] = [];

  #tell(call: string): void {
    this.#calls.push(call);
    this.#signals?.tell(this.#calls.join(' '));
  }

  onHeaders(exchange: Exchange): void {
    this.#signals = new Signals(exchange.request.fields.get(SIGNALS_FIELD) ?? 'nobody');
    this.#tell('headers');
    const { path } = exchange.request;
    if (path === '/handler/throw') throw new Error('thrown before the head');
    exchange.respond(200, { trailer: 'x-length' });
  }

  async onData(exchange: Exchange, piece: Uint8Array): Promise<void> {
    if (this.#length === 0) this.#tell('data');
    this.#length += piece.length;
    if (exchange.request.path === '/handler/throw-late') throw new Error('thrown behind the head');
    await exchange.write(piece);
  }

  onEnd(exchange: Exchange, trailers: Fields): void {
    this.#tell('end');
    exchange.end({ 'x-length': this.#length, 'x-last': trailers.get('x-last') ?? 'none' });
  }

  onClose(_exchange: Exchange, { by, how }: Closed): void {
    this.#tell(`close:${by}:${how}`);
    const signals = this.#signals;
    setImmediate(() => signals?.close());
  }
}
