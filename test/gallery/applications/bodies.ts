/** Middleware about content: compression, entity tags, work in another thread. */
import { compression } from '../../../apps/middleware/native/compression.ts';
import { etag } from '../../../apps/middleware/native/etag.ts';
import { offload } from '../../../apps/middleware/native/offload.ts';
import type { Application } from '../../../workers/gateway.ts';
import { acceptWebSocket } from '../../../workers/websocket/accept.ts';
import { byPath, queryOf, withSignals } from './by-path.ts';

const TEXT = { 'content-type': 'text/plain' };
const LONG = 'again and again '.repeat(500);
const compressed = compression();
const tagged = etag();

/** Work that says when it is asked for and waits for a word, in the place of a pool of threads. */
const told =
  (limitBytes: number, task: (body: Uint8Array) => unknown): ((application: Application) => Application) =>
  (application) =>
  (exchange) =>
    withSignals(exchange, (signals) => {
      const pool = {
        run: async (body: Uint8Array, options?: { signal?: AbortSignal | null }) => {
          if (!queryOf(exchange).has('stalls')) return task(body);
          signals.tell('work begun');
          return await new Promise((_resolve, reject) =>
            options?.signal?.addEventListener('abort', () => {
              signals.tell('work aborted');
              reject(options.signal?.reason);
            }),
          );
        },
      };
      return offload({ pool: pool as never, limitBytes })(application)(exchange);
    });
const loud = told(1000, (body) => Buffer.from(Buffer.from(body).toString().toUpperCase()));

export default byPath({
  '/compressed/streaming': compressed((exchange) =>
    withSignals(exchange, async (signals) => {
      const released = signals.until('release streaming');
      exchange.respond(200, { ...TEXT, etag: '"strong"' });
      await exchange.write('first');
      await released;
      await exchange.write(' last');
      exchange.end({ 'x-sum': '1' });
    }),
  ),
  '/compressed/whole': compressed((exchange) => {
    const query = queryOf(exchange);
    const fields = Object.fromEntries(query);
    exchange.respond(
      Number(query.get(':status') ?? 200),
      { ...TEXT, ...without(fields), vary: 'cookie' },
      LONG,
    );
  }),
  '/compressed/small': compressed((exchange) => exchange.respond(200, TEXT, 'small')),
  '/compressed/crumbs': compressed(async (exchange) => {
    exchange.respond(200, TEXT);
    for (let i = 0; i < 100; i++) void exchange.write(`${i},`);
    exchange.end();
  }),
  '/compressed/flood': compressed(async (exchange) => {
    exchange.respond(200, TEXT);
    for (let i = 0; i < 32; i++) exchange.write(Buffer.alloc(64 * 1024, i)).catch(() => undefined);
    exchange.end();
  }),
  '/compressed/failing': compressed(async (exchange) => {
    exchange.respond(200, TEXT);
    await exchange.write(LONG);
    throw new Error('in the middle');
  }),

  '/tagged/page': tagged((exchange) => exchange.respond(200, { ...TEXT, 'cache-control': 'no-cache' }, LONG)),
  '/tagged/own': tagged((exchange) => exchange.respond(200, { etag: 'W/"own"' }, LONG)),
  '/tagged/missing': tagged((exchange) => exchange.respond(404, TEXT, 'missing')),
  '/tagged/streaming': tagged(async (exchange) => {
    exchange.respond(200, TEXT);
    await exchange.write('streamed');
    exchange.end();
  }),

  '/loud/whole': loud((exchange) => exchange.respond(201, { ...TEXT, 'content-length': 5 }, 'quiet')),
  '/loud/streaming': loud(async (exchange) => {
    exchange.respond(200, TEXT);
    const piece = Buffer.from('qui');
    await exchange.write(piece);
    piece.fill('?');
    await exchange.write('et');
    exchange.end();
  }),
  '/loud/encoded': loud((exchange) => exchange.respond(200, { 'content-encoding': 'x-own' }, 'quiet')),
  '/loud/large': loud(async (exchange) => {
    exchange.respond(200, TEXT);
    await exchange.write('x'.repeat(1000));
    await exchange.write('y');
  }),
  '/loud/failing': told(1000, () => {
    throw new Error('the work failed');
  })((exchange) => exchange.respond(200, TEXT, 'quiet')),
  '/loud/unanswered': loud(() => undefined),
  '/loud/socket': loud(async (exchange) => {
    const socket = await acceptWebSocket(exchange, { origins: 'any' });
    await socket?.send('quiet');
  }),
});

function without({ ':status': _status, ...fields }: { [name: string]: string }): { [name: string]: string } {
  return fields;
}
