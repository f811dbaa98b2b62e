/** An application as a Fetch handler of somebody else's: Requests that no exchange is behind. */
import test, { type ExecutionContext } from 'ava';
import { fromFetch } from '../../../workers/adapters/fetch/from-fetch.ts';
import { type ToFetchOptions, toFetch } from '../../../workers/adapters/fetch/to-fetch.ts';
import type { Application, Closed, Exchange } from '../../../workers/gateway.ts';
import { validate } from '../../../workers/validator/validate.ts';

/** Held against the interface's rules, both sides of it. */
function handlerOf(
  application: Application,
  options?: ToFetchOptions,
): (request: Request) => Promise<Response> {
  return toFetch(validate(application), options);
}

const get = (init: RequestInit = {}): Request => new Request('https://example.org:8443/a%20b?c=1', init);

function streaming(init: RequestInit = {}) {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const request = get({ method: 'POST', body: readable, duplex: 'half', ...init } as RequestInit);
  const writer = writable.getWriter();
  writer.closed.catch(() => undefined);
  return { request, writer, send: (text: string) => writer.write(new TextEncoder().encode(text)) };
}

async function echo(exchange: Exchange): Promise<void> {
  exchange.respond(200, { 'content-type': 'text/plain' });
  for await (const piece of exchange.body) await exchange.write(piece);
  exchange.end();
}

/** Runs an application and gives what `closed` said beside its Response. */
function watched(application: Application): { application: Application; closed: Promise<Closed> } {
  const { promise, resolve } = Promise.withResolvers<Closed>();
  return {
    application: (exchange) => {
      void exchange.closed.then(resolve);
      return application(exchange);
    },
    closed: promise,
  };
}

async function codeOf(t: ExecutionContext, promise: Promise<unknown>): Promise<string | undefined> {
  return ((await t.throwsAsync(promise)) as { code?: string } | undefined)?.code;
}

test('the request is what the Request says, and what no Request can say is not made up', async (t) => {
  const handler = handlerOf(async (exchange) => {
    const { method, scheme, authority, path, fields, protocol, remote } = exchange.request;
    t.deepEqual(
      [method, scheme, authority, path, protocol],
      ['GET', 'https', 'example.org:8443', '/a%20b?c=1', ''],
    );
    t.is(fields.get('x-one'), '1');
    t.deepEqual({ ...remote }, { address: '', port: 0 });
    const { push, trailers, informational, tunnel } = exchange.capabilities;
    t.deepEqual([push, trailers, informational, tunnel], [false, false, false, false]);
    t.true(exchange.body.isAtEnd);
    exchange.respond(204);
    exchange.end();
  });
  const response = await handler(get({ headers: { 'X-One': '1' } }));
  t.deepEqual([response.status, response.body], [204, null]);
});

test('bodies stream both ways at once', async (t) => {
  const { application, closed } = watched(echo);
  const { request, send, writer } = streaming();
  const response = await handlerOf(application)(request);
  t.is(response.headers.get('content-type'), 'text/plain');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  for (const word of ['one', 'two']) {
    await send(word);
    t.is(new TextDecoder().decode((await reader.read()).value), word);
  }
  await writer.close();
  t.true((await reader.read()).done);
  t.deepEqual(await closed, { by: 'application', how: 'complete', code: 0 });
});

test('an application writes no faster than the Response is read', async (t) => {
  let written = 0;
  const response = await handlerOf(async (exchange) => {
    exchange.respond(200);
    for (let n = 0; n < 1_000; n++) {
      await exchange.write(new Uint8Array(65_536));
      written++;
    }
    exchange.end();
  })(get());
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.true(written < 10, `${written} of 1,000 pieces without a reader`);
  t.is((await response.arrayBuffer()).byteLength, 65_536_000);
});

test('HEAD has the head of the response and no body, however much is written', async (t) => {
  const response = await handlerOf(async (exchange) => {
    exchange.respond(200, { 'content-length': '5' });
    await exchange.write('12345');
    exchange.end();
  })(get({ method: 'HEAD' }));
  t.deepEqual([response.headers.get('content-length'), response.body], ['5', null]);
});

test('several values of a field arrive as several, and a whole body at once', async (t) => {
  const response = await handlerOf((exchange) => {
    exchange.respond(200, { 'set-cookie': ['a=1', 'b=2'], 'x-many': ['1', '2'] }, 'whole');
  })(get());
  t.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
  t.is(response.headers.get('x-many'), '1, 2');
  t.is(await response.text(), 'whole');
});

test('a Request that is aborted cuts the exchange off', async (t) => {
  const controller = new AbortController();
  const { request, send } = streaming({ signal: controller.signal });
  const reading = Promise.withResolvers<void>();
  const over = Promise.withResolvers<unknown>();
  const { application, closed } = watched(async (exchange) => {
    try {
      for await (const _ of exchange.body) reading.resolve();
    } catch (error) {
      over.resolve(error);
      throw error;
    }
  });
  const response = handlerOf(application)(request);
  response.catch(() => undefined);
  await send('some');
  await reading.promise;
  controller.abort();
  await over.promise;
  t.like(await closed, { by: 'peer', how: 'reset' });
  await t.throwsAsync(response);
});

test('a Response that nobody reads to its end makes the next write fail', async (t) => {
  const failure = Promise.withResolvers<{ code?: string }>();
  const response = await handlerOf(async (exchange) => {
    exchange.respond(200);
    try {
      for (;;) await exchange.write(new Uint8Array(65_536));
    } catch (error) {
      failure.resolve(error as { code?: string });
    }
  })(get());
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  await reader.cancel();
  t.is((await failure.promise).code, 'SLUICE_EXCHANGE_CLOSED');
});

test('trailers are dropped, or refused where that was asked for', async (t) => {
  const application: Application = async (exchange) => {
    exchange.respond(200);
    await exchange.write('body');
    exchange.end({ 'x-sum': '1' });
  };
  t.is(await (await handlerOf(application)(get())).text(), 'body');
  const refused = await handlerOf(application, { downgrade: { trailers: 'refuse' } })(get());
  t.is(await codeOf(t, refused.text()), 'SLUICE_FEATURE_WITHHELD');
});

test('a push becomes a Link, nothing, or an error', async (t) => {
  const application: Application = async (exchange) => {
    t.is(await exchange.push({ path: '/style.css' }), null);
    exchange.respond(200, {}, 'page');
  };
  const preload = await handlerOf(application)(get());
  t.regex(preload.headers.get('link') ?? '', /^<\/style\.css>; rel=preload/);
  const dropped = await handlerOf(application, { downgrade: { push: 'drop' } })(get());
  t.is(dropped.headers.get('link'), null);
  const refused = handlerOf(application, { downgrade: { push: 'refuse' } })(get());
  t.is(await codeOf(t, refused), 'SLUICE_FEATURE_WITHHELD');
});

test('interim responses and resets are dropped, or refused where that was asked for', async (t) => {
  const informing: Application = (exchange) => {
    exchange.inform(103, { link: '</a>; rel=preload' });
    exchange.respond(200, {}, 'final');
  };
  t.is(await (await handlerOf(informing)(get())).text(), 'final');
  const refused = handlerOf(informing, { downgrade: { informational: 'refuse' } })(get());
  t.is(await codeOf(t, refused), 'SLUICE_FEATURE_WITHHELD');

  const resetting: Application = (exchange) => exchange.reset(0x8);
  t.is(await codeOf(t, handlerOf(resetting)(get())), 'SLUICE_EXCHANGE_CLOSED');
  const kept = handlerOf(resetting, { downgrade: { reset: 'refuse' } })(get());
  t.is(await codeOf(t, kept), 'SLUICE_FEATURE_WITHHELD');
});

test('a feature that is required and not there is an error that names it', async (t) => {
  const handler = handlerOf((exchange) => exchange.require('trailers'));
  const error = await t.throwsAsync(handler(get()));
  t.regex(error?.message ?? '', /trailers/);
});

test('what fails before its head rejects, and what fails behind it breaks the stream', async (t) => {
  const early = handlerOf(() => {
    throw new Error('early');
  })(get());
  await t.throwsAsync(early, { message: 'early' });
  const silent = toFetch(() => undefined)(get());
  await t.throwsAsync(silent, { message: /returned before its response was complete/ });
  const late = await handlerOf(async (exchange) => {
    exchange.respond(200);
    await exchange.write('begun');
    throw new Error('late');
  })(get());
  await t.throwsAsync(late.text(), { message: 'late' });
});

test('converted back it is the application itself', (t) => {
  const application: Application = () => undefined;
  t.is(fromFetch(toFetch(application)), application);
  t.is(fromFetch({ fetch: toFetch(application) }), application);
});
