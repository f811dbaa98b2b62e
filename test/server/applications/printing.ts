/** Prints what the query says: `to` a stream, so many `lines` of so many `bytes` (or of a `character`), a turn after each unless it is `atOnce`. */
import type { Exchange } from '../../../workers/gateway.ts';

let served = 0;

export default async function printing(exchange: Exchange): Promise<void> {
  served++;
  const { pathname, searchParams: query } = new URL(exchange.request.path, 'http://test.invalid');
  if (pathname.endsWith('/served')) return exchange.respond(200, {}, String(served));
  const print = query.get('to') === 'stderr' ? console.error : console.log;
  if (query.has('large')) {
    // As text and as bytes, and bytes that are a small part of large memory.
    const stream = query.get('to') === 'stderr' ? process.stderr : process.stdout;
    const large = Buffer.alloc(Number(query.get('large')), 'é');
    const what = query.get('as');
    large[9] = 0x0a;
    stream.write(what === 'text' ? large.toString() : what === 'part' ? large.subarray(0, 10) : large);
    return exchange.respond(200, {}, 'printed');
  }
  const text = query.get('text') ?? (query.get('character') ?? 'x').repeat(Number(query.get('bytes')) - 1);
  for (let line = 0; line < Number(query.get('lines') ?? 1); line++) {
    print(text);
    if (!query.has('atOnce')) await new Promise((resolve) => setImmediate(resolve));
  }
  exchange.respond(200, {}, 'printed');
}
