/** Promised responses of every kind, asked for by path. */
import type { Exchange, GatewayError } from '../../../workers/gateway.ts';

type Answer = (exchange: Exchange, query: URLSearchParams) => void | Promise<void>;

let lateCode = '';

const answers: { readonly [path: string]: Answer } = {
  /** A page with two that go with it. */
  '/page': async (exchange) => {
    const style = await exchange.push({ path: '/style.css', fields: { accept: 'text/css' } });
    const script = await exchange.push({ path: '/script.js?a=1' });
    exchange.respond(
      200,
      { 'content-type': 'text/html' },
      `<p>${[style, script].filter((pushed) => pushed !== null).length}`,
    );
    style?.respond(200, { 'content-type': 'text/css' }, 'p { color: red }');
    script?.inform(103);
    script?.respond(200, { 'content-type': 'text/javascript' });
    await script?.write('let a');
    await script?.write(' = 1;');
    script?.end({ 'x-checksum': 'abc' });
  },
  /** The page is whole before the push begins. */
  '/outlive': async (exchange) => {
    const pushed = await exchange.push({ path: '/late' });
    exchange.respond(200, {}, 'page');
    await exchange.closed;
    pushed?.respond(200);
    for (let i = 0; i < 10; i++) await pushed?.write('x'.repeat(100_000));
    pushed?.end();
  },
  /** Promised and not kept. */
  '/forgotten': async (exchange) => {
    await exchange.push({ path: '/never' });
    const begun = await exchange.push({ path: '/begun' });
    begun?.respond(200);
    exchange.respond(200, {}, 'page');
  },
  /** Left by its scope. */
  '/scoped': async (exchange) => {
    // What `await using` calls, which Node 22 cannot read yet.
    const pushed = await exchange.push({ path: '/left' });
    pushed?.respond(200);
    await pushed?.[Symbol.asyncDispose]();
    exchange.respond(200, {}, 'page');
  },
  '/thrown': async (exchange) => {
    await exchange.push({ path: '/never' });
    throw new Error('thrown on purpose');
  },
  /** Without waiting for an answer. */
  '/unawaited': (exchange) => {
    void exchange.push({ path: '/never' });
    exchange.respond(200, {}, 'page');
  },
  /** How a push ended that the peer resets. */
  '/reset': async (exchange) => {
    const pushed = await exchange.push({ path: '/endless' });
    if (pushed === null) return exchange.respond(200, {}, 'none');
    // Whether the reset comes before or after the head is the peer's choice.
    if (!pushed.signal.aborted) pushed.respond(200);
    const { by, how, code } = await pushed.closed;
    exchange.respond(200, {}, `${by} ${how} ${code} ${(pushed.signal.reason as GatewayError).code}`);
  },
  /** As many at once as there can be. */
  '/many': async (exchange, query) => {
    const wanted = Number(query.get('count'));
    const pushed = await Promise.all(
      Array.from({ length: wanted }, (_, i) => exchange.push({ path: `/${i}`, method: 'HEAD' })),
    );
    const given = pushed.filter((each) => each !== null);
    for (const each of given) each.respond(204, {}, '');
    exchange.respond(200, {}, String(given.length));
  },
  '/late': async (exchange) => {
    exchange.respond(200, {}, 'page');
    await exchange.push({ path: '/too-late' }).catch((error: GatewayError) => {
      lateCode = error.code;
    });
  },
  '/late-code': (exchange) => exchange.respond(200, {}, lateCode),
  '/priority': (exchange) => exchange.respond(200, {}, JSON.stringify(exchange.request.priority)),
  '/capabilities': (exchange) => exchange.respond(200, {}, String(exchange.capabilities.push)),
};

export default async function pushes(exchange: Exchange): Promise<void> {
  const url = new URL(exchange.request.path, 'http://test.invalid');
  const answer = answers[url.pathname];
  if (answer === undefined) exchange.respond(404, {}, 'no such answer');
  else await answer(exchange, url.searchParams);
}
