/** Middleware that answers for an application that fails: debug page, retry, body limit. */
import { bodyLimit } from '../../../apps/middleware/native/body-limit.ts';
import { debugPage } from '../../../apps/middleware/native/debug-page.ts';
import { retry } from '../../../apps/middleware/native/retry.ts';
import type { Application, Exchange } from '../../../workers/gateway.ts';
import { compose } from '../../../workers/middleware/compose.ts';
import { byPath, queryOf, withSignals } from './by-path.ts';

const page = debugPage();
export const LIMIT_BYTES = 1000;
const limited = bodyLimit(LIMIT_BYTES);

/** How often each exchange was given to the application: attempts are other exchanges, what `closed` is stays the same. */
const runs = new WeakMap<object, number>();
function countedRuns(before: (exchange: Exchange, run: number) => unknown): Application {
  return async (exchange) => {
    const run = (runs.get(exchange.closed) ?? 0) + 1;
    runs.set(exchange.closed, run);
    await before(exchange, run);
    if (run <= Number(queryOf(exchange).get('failures') ?? 0)) throw new Error(`run ${run} failed`);
    exchange.respond(200, {}, `run ${run}`);
  };
}

const again = retry();
const moving: Application = byPath({
  '/retry/moved': (exchange) =>
    exchange.respond(302, { 'x-internal-location': '/retry/there?from=moved' }, ''),
  '/retry/moved-streaming': async (exchange) => {
    exchange.respond(200, { 'x-internal-location': '/retry/there' });
    await exchange.write('what is not to be seen');
    exchange.end({ 'x-neither': 'this' });
  },
  '/retry/circle': (exchange) => exchange.respond(200, { 'x-internal-location': '/retry/circle' }, ''),
  '/retry/outside': (exchange) =>
    exchange.respond(200, { 'x-internal-location': 'https://other.example/' }, ''),
  '/retry/after-reading': async (exchange) => {
    await exchange.body.bytes();
    exchange.respond(200, { 'x-internal-location': '/retry/there' }, '');
  },
  '/retry/there': async (exchange) =>
    exchange.respond(200, {}, `${exchange.request.path} ${await exchange.body.text()}`),
});

export default byPath({
  '/debug/early': page(() => {
    throw new Error('a <b>bold</b> failure');
  }),
  '/debug/thrown-text': page(async () => {
    throw 'just "words"';
  }),
  '/debug/late': page(async (exchange) => {
    exchange.respond(200);
    await exchange.write('begun');
    throw new Error('too late for a page');
  }),
  '/debug/tunnel': page(() => {
    throw new Error('no tunnel here');
  }),
  '/debug/cut': (exchange) =>
    withSignals(exchange, async (signals) => {
      const cut = page(async (inner) => {
        signals.tell('begun');
        await inner.closed;
        throw inner.signal.reason;
      });
      try {
        await cut(exchange);
      } catch (error) {
        signals.tell(`thrown ${(error as { code?: string }).code}`);
      }
    }),

  '/retry/plain': again(countedRuns(() => undefined)),
  '/retry/head-gone': again(
    countedRuns(async (exchange, run) => {
      exchange.respond(200);
      await exchange.write(`run ${run}`);
      throw new Error('behind the head');
    }),
  ),
  '/retry/body-read': again(countedRuns((exchange) => exchange.body.bytes())),
  '/retry/body-glanced-at': again(countedRuns((exchange) => exchange.body.isAtEnd)),
  '/retry/pushed': again(
    countedRuns((exchange) => exchange.push({ path: '/x' }).then((pushed) => pushed?.reset())),
  ),
  '/retry/moved': again(moving),
  '/retry/moved-streaming': again(moving),
  '/retry/circle': again(moving),
  '/retry/outside': again(moving),
  '/retry/after-reading': again(moving),

  '/limit/read': (exchange) =>
    withSignals(exchange, (signals) =>
      limited(async (inner) => {
        signals.tell(`called ${queryOf(exchange).get('id')}`);
        const body = await inner.body.text();
        inner.respond(200, {}, `${body.length} ${(await inner.trailers).get('x-sum')}`);
      })(exchange),
    ),
  '/limit/echo': limited(async (exchange) => {
    exchange.respond(200);
    for await (const piece of exchange.body) await exchange.write(piece);
    exchange.end();
  }),
  '/limit/own': limited(async (exchange) => {
    await exchange.body.bytes(10);
    exchange.respond(200, {}, 'not reached');
  }),
  '/limit/under-page': compose(
    page,
    limited,
  )(async (exchange) => {
    await exchange.body.bytes();
    exchange.respond(200, {}, 'not reached');
  }),
});
