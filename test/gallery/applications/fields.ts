/** Middleware about heads: sessions, authentication, CORS, response fields, timing, mounting, methods. */
import { authentication, user } from '../../../apps/middleware/native/authentication.ts';
import { cors } from '../../../apps/middleware/native/cors.ts';
import { methodOverride } from '../../../apps/middleware/native/method-override.ts';
import { mount, rewrite } from '../../../apps/middleware/native/mounting.ts';
import { responseFields } from '../../../apps/middleware/native/response-fields.ts';
import { session, sessions } from '../../../apps/middleware/native/sessions.ts';
import { timing } from '../../../apps/middleware/native/timing.ts';
import type { Application, Exchange } from '../../../workers/gateway.ts';
import { acceptWebSocket } from '../../../workers/websocket/accept.ts';
import { byPath, queryOf } from './by-path.ts';

const kept = sessions({ key: new Uint8Array(32).fill(7), cookie: 'kept' });
const known = authentication({
  realm: 'the "inner" circle',
  verify: async (name, password) => name === 'ada' && password === 'love:lace',
});
const shared = cors({ origins: ['https://app.example'], credentials: true, maxAge: 60 });
const sanitised = responseFields();

/** A clock that goes on by ten milliseconds whenever it is looked at. */
let ms = 0;
const timed = timing(() => (ms += 10));

async function greet(exchange: Exchange): Promise<void> {
  if (exchange.request.protocol !== 'websocket') {
    exchange.respond(200, {}, `hello, ${exchange.extension(user)}`);
    return;
  }
  const socket = await acceptWebSocket(exchange, { origins: 'any' });
  await socket?.send(`hello, ${exchange.extension(user)}`);
}

const see: Application = (exchange) => exchange.respond(200, {}, exchange.request.path);

const pushing: Application = async (exchange) => {
  const pushed = await exchange.push({ path: '/style.css' });
  pushed?.respond(200, { server: 'inner', 'x-own': 'pushed' }, 'pushed');
  see(exchange);
};

const blog = mount('/mounted/blog', pushing)((exchange) => exchange.respond(404, {}, 'outside'));

export default byPath({
  '/session/count': kept((exchange) => {
    const values = exchange.extension(session);
    const visits = Number(values?.get('visits') ?? 0) + 1;
    values?.set('visits', String(visits));
    exchange.respond(200, {}, String(visits));
  }),
  '/session/look': kept((exchange) =>
    exchange.respond(200, {}, String(exchange.extension(session)?.get('visits'))),
  ),
  '/session/unused': kept(see),
  '/session/large': kept((exchange) => {
    exchange.extension(session)?.set('much', 'x'.repeat(4000));
    see(exchange);
  }),
  '/session/socket': kept(async (exchange) => {
    exchange.extension(session)?.set('visits', 'by socket');
    await acceptWebSocket(exchange, { origins: 'any' });
  }),

  '/known/greet': known(greet),

  '/shared/page': shared((exchange) => exchange.respond(200, { vary: 'accept' }, 'page')),
  '/shared/error': shared((exchange) => exchange.respond(404, {}, 'nothing')),
  '/shared/options': shared((exchange) => exchange.respond(200, {}, exchange.request.method)),

  '/sanitised/page': sanitised(async (exchange) => {
    const pushed = await exchange.push({ path: '/style.css' });
    pushed?.respond(200, { server: 'inner', 'x-powered-by': 'habit' }, 'pushed');
    exchange.respond(200, { server: 'inner', 'x-powered-by': 'habit', 'x-frame-options': 'DENY' }, 'page');
  }),
  '/sanitised/socket': sanitised(async (exchange) => {
    await acceptWebSocket(exchange, { origins: 'any', fields: { 'x-powered-by': 'habit' } });
  }),

  '/timed/page': timed(async (exchange) => {
    exchange.respond(200, { 'server-timing': 'own;dur=1' });
    await exchange.write('page');
    exchange.end({ 'x-own': 'yes' });
  }),

  '/mounted/blog': blog,
  '/mounted/blog/': blog,
  '/mounted/blog/one': blog,
  '/mounted/blogger': blog,
  '/rewritten/old': rewrite((path) => path.replace('/old', '/new'))(see),
  '/rewritten/other': rewrite((path) => path.replace('/old', '/new'))(see),

  '/method': methodOverride()(async (exchange) => {
    const body = await exchange.body.text();
    exchange.respond(200, {}, `${exchange.request.method} ${queryOf(exchange).get('q')} ${body}`);
  }),
});
