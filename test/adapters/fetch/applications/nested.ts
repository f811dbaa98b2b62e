/** A native application inside Hono, inside Sluice: what the layers between leave alone it has, what they take it says. */
import { Hono } from 'hono';
import { toFetch } from '../../../../workers/adapters/fetch/to-fetch.ts';
import type { Exchange } from '../../../../workers/gateway.ts';

const SECRET = { 'set-cookie': { value: 'secret=1', indexing: 'never' } } as const;

const native = toFetch(async (exchange: Exchange) => {
  const { path } = exchange.request;
  if (path.endsWith('?secret')) return exchange.respond(200, SECRET, 'told');
  if (path.endsWith('?secret-streaming')) {
    exchange.respond(200, SECRET);
    await exchange.write('told');
    return exchange.end();
  }
  if (path.endsWith('?unheard')) {
    exchange.respond(200, {});
    await exchange.write('begun');
    await exchange.closed;
    void exchange.write('after the cut');
    return;
  }
  exchange.inform(103, { link: '</early.css>; rel=preload' });
  const pushed = await exchange.push({ path: '/pushed.css' });
  pushed?.respond(200, { 'content-type': 'text/css' }, 'pushed');
  const { version } = exchange.request;
  exchange.respond(200, { 'content-type': 'text/plain', 'x-version': version });
  for await (const piece of exchange.body) await exchange.write(piece);
  await exchange.write('|');
  await exchange.write(exchange.withheld.map(({ feature }) => feature).join(' '));
  exchange.end({ 'x-trailer': 'native' });
});

const app = new Hono();
// Sets a field, and leaves the body alone.
app.use('/field', async (context, next) => {
  await next();
  context.header('x-layer', 'hono');
});
// Takes the body for its own.
app.use('/rewritten', async (context, next) => {
  await next();
  const upper = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) =>
      controller.enqueue(Buffer.from(Buffer.from(chunk).toString().toUpperCase())),
  });
  context.res = new Response(context.res.body?.pipeThrough(upper) ?? null, context.res);
});
app.all('*', (context) => native(context.req.raw));

export default app;
