/** An application as a Node handler of servers that are none of ours: node:http, node:http2's compatibility server, Express. */
import { createServer as createHttp1, type RequestListener, type Server } from 'node:http';
import { createServer as createHttp2, type Http2Server } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import compression from 'compression';
import express from 'express';
import { type ToNodeOptions, toNode } from '../../../workers/adapters/node/to-node.ts';
import type { Application, Exchange } from '../../../workers/gateway.ts';
import { validate } from '../../../workers/validator/validate.ts';
import { answer, connectHttp2 } from '../../server/http2-client.ts';
import { isCut, type Way, ways } from '../ways.ts';

type Handler = (...args: never[]) => unknown;
interface Place {
  readonly version: '1.1' | '2.0';
  /** Serves a handler until the test is over. */
  start(t: ExecutionContext, handler: Handler): Promise<{ way: Way; origin: string }>;
}

const places: { readonly [name: string]: Place } = {
  'node:http': {
    version: '1.1',
    start: (t, handler) => listen(t, '1.1', createHttp1(handler as RequestListener)),
  },
  'node:http2': { version: '2.0', start: (t, handler) => listen(t, '2.0', createHttp2(handler as never)) },
  Express: {
    version: '1.1',
    start: (t, handler) => {
      const app = express();
      app.use((_req, res, next) => {
        res.setHeader('x-express', 'before');
        next();
      });
      app.use(handler as never);
      app.use(((error: Error, _req: unknown, res: express.Response, _next: unknown) => {
        res.status(500).send(`told: ${error.message}`);
      }) as express.ErrorRequestHandler);
      return listen(t, '1.1', createHttp1(app));
    },
  },
};

async function listen(t: ExecutionContext, version: '1.1' | '2.0', server: Server | Http2Server) {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return { way: (ways[version] as (typeof ways)[string])({ origin, port }), origin };
}

/** Held against the interface's rules, both sides of it. */
const handlerOf = (application: Application, options?: ToNodeOptions): Handler =>
  toNode(validate(application), options) as Handler;

async function echo(exchange: Exchange): Promise<void> {
  exchange.respond(200, { 'content-type': 'text/plain', trailer: 'x-sum' });
  for await (const piece of exchange.body) await exchange.write(piece);
  exchange.end({ 'x-sum': (await exchange.trailers).get('x-last') ?? 'none' });
}

for (const [name, { version, start }] of Object.entries(places)) {
  test(`${name}: a body and its trailers come back`, async (t) => {
    const { way } = await start(t, handlerOf(echo));
    const body = 'streaming '.repeat(100_000);
    const seen = await way.ask(t, '/', { method: 'POST', body, trailers: { 'x-last': 'yes' } });
    t.deepEqual([seen.status, seen.how, seen.headers['content-type']], [200, 'whole', 'text/plain']);
    t.true(seen.body === body);
    t.is(seen.trailers['x-sum'], 'yes');
    t.is(seen.headers['x-express'], name === 'Express' ? 'before' : undefined);
  });

  test(`${name}: the request is what was asked`, async (t) => {
    const { way, origin } = await start(
      t,
      handlerOf((exchange) => {
        const { method, scheme, authority, path, fields, remote, version } = exchange.request;
        const cookies = fields.get('cookie');
        const facts = { method, scheme, authority, path, version, cookies, address: remote.address };
        exchange.respond(200, { 'set-cookie': ['a=1', 'b=2'] }, JSON.stringify(facts));
      }),
    );
    const seen = await way.ask(t, '/a?b=%20', { method: 'DELETE', headers: { cookie: 'c=3' } });
    t.deepEqual(JSON.parse(seen.body), {
      method: 'DELETE',
      scheme: 'http',
      authority: new URL(origin).host,
      path: '/a?b=%20',
      version: version === '2.0' ? '2' : '1.1',
      cookies: 'c=3',
      address: '127.0.0.1',
    });
    t.deepEqual(seen.headers['set-cookie'], ['a=1', 'b=2']);
  });

  test(`${name}: marked fields, HEAD, 204 and a whole body leave as they should`, async (t) => {
    const { way } = await start(
      t,
      handlerOf((exchange) => {
        const { path } = exchange.request;
        if (path === '/204') {
          exchange.respond(204);
          exchange.end();
        } else {
          exchange.respond(200, { 'x-secret': { value: 'hidden', indexing: 'never' } }, 'whole');
        }
      }),
    );
    const whole = await way.ask(t, '/');
    t.deepEqual(
      [whole.body, whole.headers['content-length'], whole.headers['x-secret']],
      ['whole', '5', 'hidden'],
    );
    const head = await way.ask(t, '/', { method: 'HEAD' });
    t.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '5']);
    t.like(await way.ask(t, '/204'), { status: 204, body: '', how: 'whole' });
  });

  test(`${name}: interim responses go before the final one`, async (t) => {
    const { way } = await start(
      t,
      handlerOf((exchange) => {
        exchange.inform(102);
        exchange.inform(103, { link: '</style.css>; rel=preload' });
        exchange.respond(200, {}, 'final');
      }),
    );
    const seen = await way.ask(t, '/');
    t.deepEqual([seen.interim, seen.body], [[102, 103], 'final']);
  });

  test(`${name}: an application writes no faster than the peer reads`, async (t) => {
    let written = 0;
    const { way } = await start(
      t,
      handlerOf(async (exchange) => {
        if (exchange.request.path === '/written') return exchange.respond(200, {}, String(written));
        exchange.respond(200);
        for (; written < 1_024; written++) await exchange.write(new Uint8Array(65_536));
        exchange.end();
      }),
    );
    const read = await way.slowly(t, '/', {});
    let seen = -1;
    for (let quiet = 0; quiet < 20; ) {
      const { body } = await way.ask(t, '/written');
      quiet = Number(body) === seen ? quiet + 1 : 0;
      seen = Number(body);
    }
    t.true(seen < 512, `${seen} of 1024 pieces were written for a peer that reads nothing`);
    t.is(await read(), 67_108_864);
  });

  test(`${name}: a peer that goes away cuts the exchange off`, async (t) => {
    const begun = Promise.withResolvers<void>();
    const over = Promise.withResolvers<unknown>();
    const { way } = await start(
      t,
      handlerOf(async (exchange) => {
        try {
          for await (const _ of exchange.body) begun.resolve();
        } catch (error) {
          over.resolve([await exchange.closed, exchange.signal.aborted, (error as { code?: string }).code]);
          throw error;
        }
      }),
    );
    const cut = await way.upload(t, '/', {});
    await begun.promise;
    cut();
    t.deepEqual(await over.promise, [{ by: 'peer', how: 'reset', code: 8 }, true, 'SLUICE_EXCHANGE_CLOSED']);
  });

  test(`${name}: a failure before the head is answered, one behind it and a reset cut the response off`, async (t) => {
    const { way } = await start(
      t,
      toNode(async (exchange) => {
        const { path } = exchange.request;
        if (path === '/early') throw new Error('early');
        exchange.respond(200);
        await exchange.write('begun');
        if (path === '/late') throw new Error('late');
        exchange.reset(0x2);
      }) as Handler,
    );
    const warned: string[] = [];
    const onWarning = (warning: Error) => warned.push(warning.message);
    process.on('warning', onWarning);
    t.teardown(() => process.off('warning', onWarning));
    const early = await way.ask(t, '/early');
    const told = name === 'Express' ? 'told: early' : '500 Internal Server Error\n';
    t.deepEqual([early.status, early.body], [500, told]);
    t.true(await isCut(way.ask(t, '/late')));
    t.true(await isCut(way.ask(t, '/reset')));
  });

  test(`${name}: an application that has reset its exchange finds it over at once`, async (t) => {
    const found = Promise.withResolvers<readonly unknown[]>();
    const { way } = await start(
      t,
      handlerOf(async (exchange) => {
        exchange.respond(200);
        await exchange.write('begun');
        exchange.reset(0x2);
        const { aborted } = exchange.signal;
        const refused = await exchange.write('more').then(
          () => 'written',
          ({ code }) => code,
        );
        found.resolve([aborted, refused, await exchange.closed]);
      }),
    );
    t.true(await isCut(way.ask(t, '/')));
    const closed = { by: 'application', how: 'reset', code: 0x2 };
    t.deepEqual(await found.promise, [true, 'SLUICE_EXCHANGE_CLOSED', closed]);
  });
}

test('node:http2: a push goes out where the peer takes it, and a reset keeps its code', async (t) => {
  const { origin } = await (places['node:http2'] as Place).start(
    t,
    handlerOf(async (exchange) => {
      if (exchange.request.path === '/reset') return exchange.reset(0xd);
      const pushed = await exchange.push({ path: '/style.css', fields: { accept: 'text/css' } });
      pushed?.respond(200, { 'content-type': 'text/css' }, 'pushed');
      exchange.respond(200, {}, pushed === null ? 'not pushed' : 'page');
    }),
  );
  const session = await connectHttp2(t, origin);
  const promised = new Promise((resolve) => {
    session.once('stream', (stream, headers) => {
      let text = '';
      stream.setEncoding('utf8');
      stream.on('data', (piece: string) => {
        text += piece;
      });
      stream.on('end', () => resolve([headers[':path'], headers.accept, text]));
    });
  });
  t.is((await answer(session.request({ ':path': '/' }))).body.toString(), 'page');
  t.deepEqual(await promised, ['/style.css', 'text/css', 'pushed']);
  t.is((await answer(session.request({ ':path': '/reset' }))).resetCode, 0xd);
  const refusing = await connectHttp2(t, origin, { settings: { enablePush: false } });
  const refused = await answer(refusing.request({ ':path': '/' }));
  t.is(refused.body.toString(), 'not pushed');
  t.regex(String(refused.headers.link), /<\/style\.css>; rel=preload/);
});

test('Express: a layer that rewrites bodies is named in what is withheld', async (t) => {
  const app = express();
  app.use(compression({ threshold: 0 }) as never);
  const seen = Promise.withResolvers<unknown>();
  app.use(
    handlerOf(async (exchange) => {
      seen.resolve([exchange.capabilities.streaming, exchange.withheld.map(({ feature }) => feature)]);
      exchange.respond(200, { 'content-type': 'text/plain' });
      await exchange.write('compressed '.repeat(1_000));
      exchange.end();
    }) as never,
  );
  const { way } = await listen(t, '1.1', createHttp1(app));
  const { headers, how } = await way.ask(t, '/', { headers: { 'accept-encoding': 'gzip' } });
  t.deepEqual([headers['content-encoding'], how], ['gzip', 'whole']);
  t.deepEqual(await seen.promise, [false, ['streaming']]);
});
