/** What a browser asks for, by path. The test's channel stands in the query, as a browser sets no field of a navigation. */
import type { Exchange } from '../../../workers/gateway.ts';
import { acceptWebSocket } from '../../../workers/websocket/accept.ts';
import { Signals } from '../../server/signals.ts';

type Answer = (exchange: Exchange, signals: Signals, query: URLSearchParams) => void | Promise<void>;

const HTML = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' };
const TEXT = { 'content-type': 'text/plain', 'cache-control': 'no-store' };
const IMAGES = 100;

const answers: { readonly [path: string]: Answer } = {
  '/blank': (exchange) => exchange.respond(200, HTML, '<!doctype html><title>blank</title>'),
  /** Says that each piece has come, as it comes. */
  '/upload': async (exchange, signals) => {
    let bytes = 0;
    for await (const piece of exchange.body) {
      bytes += piece.length;
      signals.tell(`read ${bytes}`);
    }
    exchange.respond(200, TEXT, `${exchange.request.version} ${bytes}`);
  },
  /** Reads nothing of what is uploaded. */
  '/refused': (exchange) => exchange.respond(413, TEXT, 'too large'),
  /** The second piece waits for the test, which waits for the first to be seen. */
  '/stream': async (exchange, signals) => {
    const go = signals.until('go');
    exchange.respond(200, TEXT);
    await exchange.write('first');
    await go;
    await exchange.write('second');
    exchange.end();
  },
  /** Tells over which version it came, then echoes. */
  '/socket': async (exchange) => {
    const socket = await acceptWebSocket(exchange, { compression: true });
    if (socket === null) return;
    await socket.send(exchange.request.version);
    for await (const message of socket) await socket.send(message);
  },
  /** The page does not mention what the hint names, and it does not come before the test says so. */
  '/hinted': async (exchange, signals, query) => {
    const go = signals.until('go');
    exchange.inform(103, { link: `</style.css?signals=${query.get('signals')}>; rel=preload; as=style` });
    await go;
    exchange.respond(200, HTML, '<!doctype html><title>hinted</title>');
  },
  '/style.css': (exchange, signals) => {
    signals.tell('style');
    exchange.respond(200, { 'content-type': 'text/css' }, 'body { color: green }');
  },
  '/images': (exchange, _signals, query) => {
    const images = Array.from(
      { length: IMAGES },
      (_, index) => `<img src="/image?index=${index}&signals=${query.get('signals')}">`,
    );
    exchange.respond(200, HTML, `<!doctype html><title>images</title>${images.join('')}`);
  },
  /** Never comes whole. */
  '/image': async (exchange, signals) => {
    exchange.respond(200, { 'content-type': 'image/png' });
    await exchange.write('\x89PNG');
    signals.tell('image asked for');
    const { by, how } = await exchange.closed;
    signals.tell(`image ${how} by ${by}`);
  },
  '/where': (exchange) => exchange.respond(200, TEXT, String(exchange.request.remote.port)),
};

export default async function page(exchange: Exchange): Promise<void> {
  const url = new URL(exchange.request.path, 'http://test.invalid');
  const answer = answers[url.pathname];
  if (answer === undefined) return exchange.respond(404, TEXT, 'no such page');
  const signals = new Signals(url.searchParams.get('signals') ?? 'nobody');
  // After what an application still tells when it is over.
  void exchange.closed.then(() => setImmediate(() => signals.close()));
  await answer(exchange, signals, url.searchParams);
}
