/** Staged exchanges (see there), and some that keep their thread from its event loop. */
import type { Exchange } from '../../../workers/gateway.ts';
import staged from '../../server/applications/staged.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

export default async function hanging(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  const { pathname, searchParams } = new URL(path, 'http://test.invalid');
  if (pathname.startsWith('/loop')) {
    if (fields.has(SIGNALS_FIELD)) {
      new Signals(fields.get(SIGNALS_FIELD) ?? '').tell(`begun${searchParams.get('id')}`);
    }
    for (;;);
  }
  if (pathname === '/compute') {
    exchange.inform(103, {});
    // Behind the interim response, which leaves with the turn.
    await new Promise(setImmediate);
    const endMs = process.cpuUsage().user / 1000 + Number(searchParams.get('ms'));
    while (process.cpuUsage().user / 1000 < endMs);
    return exchange.respond(200, {}, 'computed');
  }
  if (pathname === '/block-and-tell') {
    const signals = new Signals(fields.get(SIGNALS_FIELD) ?? '');
    const id = searchParams.get('id');
    exchange.signal.addEventListener('abort', () => {
      signals.tell(`aborted${id}`);
      setImmediate(() => signals.close());
    });
    signals.tell(`begun${id}`);
    signals.blockUntil('release');
    await exchange.closed;
    return;
  }
  return staged(exchange);
}
