/**
 * Errors of the server itself, which no input is known to cause: put into the code under test by hand. They cost the
 * connection that meets them, not the process and nobody else.
 */
import test from 'ava';
import { Exchange } from '../../runtime/exchange/exchange.ts';
import { ExchangeJob } from '../../runtime/exchange/exchange-job.ts';
import { ExchangeWatch } from '../../runtime/exchange/exchange-watch.ts';
import { Http2Engine } from '../../runtime/http2/engine.ts';
import { FrameType } from '../../runtime/http2/frames.ts';
import { message, RawClient } from '../http1/raw.ts';
import { application, FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { headers, RawHttp2, requestHead } from '../server/raw-http2.ts';

const scope = new FileScope();
let server: TestServer;

/** Methods of an exchange and its parts that fail for requests that ask for it, each by its name in `x-fault`. */
const faulty = {
  start: Exchange,
  onHead: ExchangeJob,
  onReleased: ExchangeJob,
  onTransportClosed: Exchange,
  onRequestData: Exchange,
  onSent: Exchange,
  onDeadline: ExchangeWatch,
} as const;
type Part = Exchange | ExchangeJob<Exchange> | ExchangeWatch;
const heads = ['start', 'onHead', 'onReleased', 'onTransportClosed'] as const;

function asksFor(part: Part, method: string): boolean {
  const { fields } = part instanceof Exchange ? part : (part.exchange as Exchange);
  return fields.some((text, i) => i % 2 === 0 && text === 'x-fault' && fields[i + 1] === method);
}

test.before(async () => {
  server = await startServer(scope, {
    pools: {
      messages: { application: application('server', 'messages'), threads: { max: 1 } },
      staged: { application: application('server', 'staged'), threads: { max: 1 } },
      words: { application: application('server', 'last-words'), threads: { max: 1 } },
    },
    routes: [
      { path: '/*', pool: 'messages' },
      { path: '/staged/*', pool: 'staged' },
      { host: 'tunnel.invalid', path: '/*', pool: 'words', connect: true },
    ],
  });
  for (const [method, { prototype }] of Object.entries(faulty)) {
    const original = Reflect.get(prototype, method) as (this: Part, ...values: never[]) => void;
    Object.defineProperty(prototype, method, {
      value(this: Part, ...values: never[]): void {
        if (asksFor(this, method)) throw new Error(`fault in ${method}`);
        original.apply(this, values);
      },
    });
  }
});
test.after.always(() => scope.end());

for (const method of heads) {
  test.serial(
    `an error of ours ends the HTTP/2 connection that meets it and no other: ${method}`,
    async (t) => {
      const bystander = await connectHttp2(t, server.origin);
      t.is((await request(bystander, { ':path': '/hello' })).status, 200);
      const client = await RawHttp2.connect(t, server.port);
      client.send(headers(1, requestHead('GET', '/hello', { 'x-fault': method }), true));
      await client.closed;
      t.truthy(await server.log.until('internal error'));
      t.is((await request(bystander, { ':path': '/hello' })).status, 200);
      t.is((await request(await connectHttp2(t, server.origin), { ':path': '/hello' })).status, 200);
    },
  );
}

for (const method of ['start', 'onHead'] as const) {
  test.serial(
    `an error of ours ends the HTTP/1.1 connection that meets it and no other: ${method}`,
    async (t) => {
      await t.throwsAsync(requestHttp1(`${server.origin}/hello`, { headers: { 'x-fault': method } }));
      t.is((await requestHttp1(`${server.origin}/hello`)).status, 200);
    },
  );
}

for (const method of ['onRequestData', 'onSent', 'onTransportClosed'] as const) {
  test.serial(
    `an error of ours in an event of an HTTP/1.1 socket ends that connection: ${method}`,
    async (t) => {
      const before = server.log.count('internal error');
      const client = await RawClient.connect(t, server.port);
      client.send(
        message(['POST /echo HTTP/1.1', 'host: a', `x-fault: ${method}`, 'content-length: 7'], 'content'),
      );
      await client.untilClosed();
      t.true(server.log.count('internal error') > before);
      t.is((await requestHttp1(`${server.origin}/hello`)).status, 200);
    },
  );

  test.serial(
    `an error of ours in an event of a tunnel over HTTP/1.1 ends that tunnel: ${method}`,
    async (t) => {
      const before = server.log.count('internal error');
      const client = await RawClient.connect(t, server.port);
      client.send(
        message(['CONNECT tunnel.invalid:1 HTTP/1.1', 'host: a', `x-fault: ${method}`, 'x-count: 10']),
      );
      client.send('content');
      await client.untilClosed();
      await server.log.until('internal error', () => server.log.count('internal error') > before);
      t.is((await requestHttp1(`${server.origin}/hello`)).status, 200);
    },
  );
}

test.serial(
  'an error of ours in the request by which a connection changes to HTTP/2 ends that connection',
  async (t) => {
    const before = faults('start');
    const client = await RawClient.connect(t, server.port);
    const upgrade = ['connection: Upgrade, HTTP2-Settings', 'upgrade: h2c', 'http2-settings: '];
    client.send(message(['GET /hello HTTP/1.1', 'host: a', 'x-fault: start', ...upgrade]));
    await client.untilClosed();
    await server.log.until('internal error', () => faults('start') === before + 1);
    t.is((await requestHttp1(`${server.origin}/hello`)).status, 200);
  },
);

/** Requests that wait, told apart by their `id`; the ids in `faulty` meet an error when they are told of their end. */
function waiting(signals: TestServer['signals'], id: string): Record<string, string> {
  return { 'x-signals': signals.name, ...(id.startsWith('faulty') && { 'x-fault': 'onTransportClosed' }) };
}

test.serial(
  'when an HTTP/2 connection is lost, each of its exchanges hears of it, whatever the others do',
  async (t) => {
    const { signals } = server;
    const client = await RawHttp2.connect(t, server.port);
    const ids = ['faulty1', 'faulty2', 'good1', 'faulty3', 'good2'];
    const begun = ids.map((id) => signals.until(`begun${id}`));
    const told = [
      signals.until('closedgood1 reset by peer code 8'),
      signals.until('closedgood2 reset by peer code 8'),
    ];
    for (const [index, id] of ids.entries()) {
      client.send(
        headers(2 * index + 1, requestHead('GET', `/staged/never?id=${id}`, waiting(signals, id)), true),
      );
    }
    await Promise.all(begun);
    const before = faults('onTransportClosed');
    client.socket.resetAndDestroy();
    await Promise.all(told);
    await server.log.until('internal error', () => faults('onTransportClosed') === before + 3);
    t.is((await requestHttp1(`${server.origin}/hello`)).status, 200);
  },
);

test.serial(
  'when an HTTP/1.1 connection is lost, each of its exchanges hears of it, whatever the others do',
  async (t) => {
    const { signals } = server;
    const client = await RawClient.connect(t, server.port);
    const ids = ['faulty4', 'good3', 'faulty5', 'good4'];
    const begun = ids.map((id) => signals.until(`begun${id}`));
    const told = [
      signals.until('closedgood3 reset by peer code 8'),
      signals.until('closedgood4 reset by peer code 8'),
    ];
    for (const id of ids) {
      const fields = Object.entries(waiting(signals, id)).map(([name, value]) => `${name}: ${value}`);
      client.send(message([`GET /staged/never?id=${id} HTTP/1.1`, 'host: a', ...fields]));
    }
    await Promise.all(begun);
    client.end();
    await Promise.all(told);
    t.is((await requestHttp1(`${server.origin}/hello`)).status, 200);
  },
);

function faults(method: string): number {
  return server.log.lines.filter(({ err }) => JSON.stringify(err ?? '').includes(`fault in ${method}`))
    .length;
}

test.serial('a deadline reaches every exchange, even if others fail', async (t) => {
  const late = await startServer(t, {
    pools: { staged: { application: application('server', 'staged'), threads: { max: 1 } } },
    limits: { exchangeTimeoutMs: 1 },
  });
  const head = (id: string, fault: boolean) =>
    requestHead('GET', `/never?id=${id}`, {
      'x-signals': late.signals.name,
      ...(fault && { 'x-fault': 'onDeadline' }),
    });
  const [one, faultyOne, other] = await Promise.all([1, 2, 3].map(() => RawHttp2.connect(t, late.port)));
  one.send(headers(1, head('1', false), true));
  faultyOne.send(headers(1, head('2', true), true));
  other.send(headers(1, head('3', false), true));
  for (const client of [one, other]) {
    t.is(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'), '504');
  }
  await faultyOne.closed;
});

test.serial('a drain reaches every connection, even if others fail', async (t) => {
  const draining = await startServer(t, {
    pools: { messages: { application: application('server', 'messages'), threads: { max: 1 } } },
  });
  const clients = await Promise.all([1, 2, 3].map(() => RawHttp2.connect(t, draining.port)));
  for (const client of clients) await client.untilFrame(FrameType.Settings, 0);
  const { ping } = Http2Engine.prototype;
  t.teardown(() => {
    Http2Engine.prototype.ping = ping;
  });
  let calls = 0;
  Http2Engine.prototype.ping = function (this: Http2Engine): void {
    calls++;
    if (calls === 1) throw new Error('fault in ping');
    ping.call(this);
  };
  await draining.server.drain();
  t.is(calls, 3);
  t.truthy(draining.log.find('internal error'));
});
