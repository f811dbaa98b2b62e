/** Sends interim responses: `?count=` of them and then a response, or until its exchange is closed, and says by whom. `?status=` is theirs. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Exchange } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

const PATH = '/style'.repeat(160);

export default async function informing(exchange: Exchange): Promise<void> {
  const signals = new Signals(exchange.request.fields.get(SIGNALS_FIELD) ?? '');
  const query = new URL(exchange.request.path, 'http://test.invalid').searchParams;
  const count = Number(query.get('count') ?? Infinity);
  const status = Number(query.get('status') ?? 103);
  // Each says something else: what is repeated is a byte of HPACK.
  for (let n = 0; n < count && !exchange.signal.aborted; n++) {
    try {
      exchange.inform(status, { link: `<${n}${PATH}>; rel=preload` });
    } catch {
      // More than a thousand wait for the reactor, or the exchange is over: the loop sees to either.
    }
    await turn();
  }
  if (exchange.signal.aborted) {
    signals.tell(`closed by ${(await exchange.closed).by}`);
  } else {
    exchange.respond(200, {}, 'informed');
    signals.tell('informed');
  }
  signals.close();
}
