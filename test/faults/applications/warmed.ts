/** Counts what it was asked for. */
import type { Exchange } from '../../../workers/gateway.ts';

const asked: string[] = [];

export default async function warmed(exchange: Exchange): Promise<void> {
  const { method, path, authority, fields } = exchange.request;
  if (path === '/asked') return exchange.respond(200, {}, JSON.stringify(asked));
  asked.push(`${method} ${authority} ${path} ${fields.get('user-agent')}`);
  if (path === '/fails') throw new Error('there is no database to warm up from');
  if (path === '/loops') for (;;);
  if (path === '/unavailable') return exchange.respond(503, {}, 'not yet');
  exchange.respond(200);
  // More than the window, in pieces that are waited for.
  for (let i = 0; i < 10; i++) await exchange.write('x'.repeat(100_000));
  exchange.end({ 'x-checksum': '1' });
}
