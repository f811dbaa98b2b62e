/** Applications that read late and write without end, for tests that count what crosses. */

import type { Exchange, GatewayError } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

const PIECE = Buffer.alloc(16_384, 'x');

export default async function flowing(exchange: Exchange): Promise<void> {
  const { pathname, searchParams } = new URL(exchange.request.path, 'http://test.invalid');
  if (pathname === '/nothing') return exchange.respond(200, {}, 'nothing');
  const signals = new Signals(exchange.request.fields.get(SIGNALS_FIELD) ?? '');
  void exchange.closed.then(() => setImmediate(() => signals.close()));
  const id = searchParams.get('id') ?? '';
  switch (pathname) {
    case '/read-later':
      return readLater(exchange, signals, id);
    case '/read-one': {
      for await (const piece of exchange.body) {
        signals.tell(`begun${id}`);
        if (piece.length > 0) await exchange.closed;
      }
      return;
    }
    case '/pump':
      return pump(exchange, signals, id);
    default:
      return flood(exchange, signals, id);
  }
}

async function readLater(exchange: Exchange, signals: Signals, id: string): Promise<void> {
  const go = signals.until('go');
  signals.tell(`begun${id}`);
  await go;
  let count = 0;
  for await (const piece of exchange.body) count += piece.length;
  signals.tell(`read${id} ${count}`);
  exchange.respond(200, {}, String(count));
}

/** Says how much it has written after each piece, and what room there was at first and when it was full. */
async function pump(exchange: Exchange, signals: Signals, id: string): Promise<void> {
  exchange.respond(200);
  signals.tell(`room${id} ${exchange.writableBytes}`);
  for (let count = PIECE.length; ; count += PIECE.length) {
    await exchange.write(PIECE);
    if (count === 65_536) signals.tell(`room${id} ${exchange.writableBytes}`);
    signals.tell(`wrote${id} ${count}`);
  }
}

async function flood(exchange: Exchange, signals: Signals, id: string): Promise<void> {
  exchange.respond(200);
  const refusals: Promise<void>[] = [];
  for (let count = 0; count < 2_000; count++) {
    refusals.push(
      exchange.write(PIECE).catch((error: GatewayError) => {
        signals.tell(`refused${id} ${error.code}`);
      }),
    );
  }
  await Promise.all(refusals);
}
