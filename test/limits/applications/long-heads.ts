/**
 * Answers with a long head, and before it an interim response that is as long: `/empty`, `/content` or `/trailers` behind it. Tells
 * `answered`. To `/short` it answers with nothing long.
 */
import type { Exchange } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

/** HPACK's Huffman code would make it longer, and no table keeps it. */
const LONG = '~'.repeat(60_000);

export default async function longHeads(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  const signals = new Signals(fields.get(SIGNALS_FIELD) ?? 'nobody');
  if (path === '/short') {
    exchange.respond(200, {}, 'short');
    signals.close();
    return;
  }
  exchange.inform(103, { link: LONG });
  exchange.respond(200, { 'x-long': LONG }, path === '/empty' ? '' : undefined);
  if (path !== '/empty') {
    // A piece of it is within the credit that there is at the beginning.
    await exchange.write('content');
    exchange.end(path === '/trailers' ? { 'x-last': LONG } : undefined);
  }
  signals.tell('answered');
  signals.close();
}
