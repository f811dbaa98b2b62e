/** Answers with its path; `/waits` when it is told to, `/prints` prints. */
import type { Exchange } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

export default async function answers(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  if (path === '/waits') {
    const signals = new Signals(fields.get(SIGNALS_FIELD) ?? '');
    const released = signals.until('release');
    signals.tell('begun');
    await released;
    signals.close();
  }
  if (path === '/prints') console.log('printed');
  exchange.respond(200, {}, path);
}
