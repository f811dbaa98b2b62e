/** Every way in which an application can fail on an exchange. */
import type { Exchange } from '../../../workers/gateway.ts';

type Failure = (exchange: Exchange, query: URLSearchParams) => void | Promise<void>;

const failures: { readonly [path: string]: Failure } = {
  '/throws': () => {
    throw new Error('a secret detail');
  },
  '/rejects': async () => {
    await Promise.resolve();
    throw new TypeError('a secret detail');
  },
  '/throws-nothing': () => {
    throw undefined;
  },
  '/throws-later': async (exchange) => {
    exchange.respond(200);
    await exchange.write('some content');
    throw new Error('a secret detail after the head');
  },
  '/throws-at-end': (exchange) => {
    exchange.respond(200, {}, 'whole');
    throw new Error('a secret detail after the end');
  },
  '/returns': () => undefined,
  '/returns-later': async (exchange) => {
    exchange.respond(200);
    await exchange.write('some content');
  },
  '/resets': (exchange, query) => exchange.reset(Number(query.get('code'))),
  '/resets-later': async (exchange, query) => {
    exchange.respond(200);
    await exchange.write('some content');
    exchange.reset(Number(query.get('code')));
  },
  '/too-much': async (exchange) => {
    exchange.respond(200, { 'content-length': 4 });
    await exchange.write('four');
    await exchange.write('more');
  },
  '/too-little': async (exchange) => {
    exchange.respond(200, { 'content-length': 40 });
    await exchange.write('four');
    exchange.end();
  },
  '/contradiction': (exchange) => exchange.respond(200, { 'content-length': 5 }, 'four'),
  '/field': (exchange, query) => exchange.respond(200, { [query.get('name') ?? '']: 'x' }, 'sent'),
};

export default function failing(exchange: Exchange): void | Promise<void> {
  const url = new URL(exchange.request.path, 'http://test.invalid');
  const failure = failures[url.pathname.slice(url.pathname.lastIndexOf('/'))];
  if (failure === undefined) return exchange.respond(404, {}, 'no such failure');
  return failure(exchange, url.searchParams);
}
