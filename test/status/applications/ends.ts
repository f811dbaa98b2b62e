/** One end of an exchange for each path. */
import type { Exchange } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

const PIECE = new Uint8Array(65_536);

export default async function ends(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  const signals = new Signals(fields.get(SIGNALS_FIELD) ?? 'nobody');
  try {
    switch (path) {
      case '/throws':
        throw new Error('as asked');
      case '/half':
        exchange.respond(200);
        await exchange.write('half');
        throw new Error('behind the head');
      case '/resets':
        exchange.reset();
        return;
      case '/dies':
        signals.tell('begun');
        signals.blockUntil('die');
        process.exit(5);
        return;
      case '/waits':
        signals.tell('begun');
        await exchange.closed;
        return;
      case '/holds':
        signals.tell('begun');
        signals.blockUntil('release');
        exchange.respond(200, {}, 'held');
        return;
      case '/streams':
        exchange.respond(200);
        for (let piece = 0; piece < 64; piece++) await exchange.write(PIECE);
        exchange.end();
        return;
      default: {
        const body = await exchange.body.bytes();
        exchange.respond(200, {}, body);
      }
    }
  } finally {
    signals.close();
  }
}
