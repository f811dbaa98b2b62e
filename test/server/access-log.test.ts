/** The access log, and what the log says of requests that were refused. */
import test from 'ava';
import { accessFields } from '../../runtime/config/access-log-schema.ts';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { application, type Scope, type ServerInput, startServer, type TestServer } from './harness.ts';
import { requestHttp1 } from './http1-client.ts';
import { connectHttp2, request } from './http2-client.ts';
import type { LogLine } from './log-lines.ts';
import { SIGNALS_FIELD } from './signals.ts';

type Access = NonNullable<NonNullable<ConfigInput['log']>['access']>;

function start(scope: Scope, access: Access, rest: Partial<ServerInput> = {}): Promise<TestServer> {
  const pool = (name: string) => ({ application: application('server', name), threads: { max: 1 } });
  const pools = { messages: pool('messages'), staged: pool('staged') };
  return startServer(scope, { pools, ...rest, log: { access } });
}

/** A line comes when the exchange is over on the connection, which the client may know of sooner. */
async function lineOf(server: TestServer, path: string): Promise<LogLine> {
  return server.log.until('exchange', (line) => line.path === path);
}

test('a line describes the exchange, over HTTP/1.1 and HTTP/2', async (t) => {
  const server = await start(t, { write: 'always', fields: [...accessFields] });
  const headers = { 'user-agent': `agent ${'x'.repeat(300)}`, referer: 'http://there/' };
  await requestHttp1(`${server.origin}/digest?token=secret`, { method: 'POST', body: 'content', headers });
  const { durationMs, time, pid, ...line } = await lineOf(server, '/digest');
  t.true((durationMs as number) >= 0);
  t.truthy(time && pid);
  const responseBytes = line.responseBytes as number;
  t.true(responseBytes > 0);
  t.deepEqual(line, {
    level: 'info',
    msg: 'exchange',
    remoteAddress: '127.0.0.1',
    method: 'POST',
    scheme: 'http',
    authority: `127.0.0.1:${server.port}`,
    path: '/digest',
    query: 'token=[redacted]',
    version: '1.1',
    status: 200,
    outcome: 'complete',
    requestBytes: 7,
    responseBytes,
    route: '/*',
    pool: 'messages',
    userAgent: `agent ${'x'.repeat(250)}`,
    referer: 'http://there/',
  });
  const session = await connectHttp2(t, server.origin);
  await request(session, { ':path': '/hello' });
  const hello = await lineOf(server, '/hello');
  t.like(hello, { version: '2', status: 200, responseBytes: 6, requestBytes: 0, pool: 'messages' });
  t.false('query' in hello || 'userAgent' in hello);
});

test('failed exchanges have their outcome, and requests without a route or pool have a line', async (t) => {
  const server = await start(t, { write: 'always' });
  const session = await connectHttp2(t, server.origin);
  t.is((await request(session, { ':path': '/status?code=404&body=gone' })).status, 404);
  t.like(await lineOf(server, '/status'), { status: 404, outcome: 'complete', pool: 'messages' });

  const begun = server.signals.until('begunreset');
  const stream = session.request({
    ':path': '/staged/stream?id=reset',
    [SIGNALS_FIELD]: server.signals.name,
  });
  stream.on('error', () => undefined);
  await begun;
  stream.close(8);
  t.like(await lineOf(server, '/staged/stream'), {
    status: 200,
    outcome: 'resetByPeer',
    responseBytes: 6,
    pool: 'staged',
  });

  const noRoute = await startServer(t, {
    pools: { only: { application: application('server', 'messages'), threads: { max: 1 } } },
    routes: [{ path: '/only', pool: 'only' }],
    log: { access: { write: 'always' } },
  });
  t.is((await requestHttp1(`${noRoute.origin}/elsewhere?x`)).status, 404);
  const elsewhere = await lineOf(noRoute, '/elsewhere');
  t.like(elsewhere, { status: 404, outcome: 'refused', durationMs: 0 });
  t.false('pool' in elsewhere);
});

test('sample applies to exchanges that end well; all others are written', async (t) => {
  const server = await start(t, { write: 'always', fields: ['query', 'status'], sample: 0.25 });
  for (let count = 0; count < 8; count++) await requestHttp1(`${server.origin}/hello?${count}`);
  for (const body of ['a', 'b', 'c']) await requestHttp1(`${server.origin}/status?code=503&body=${body}`);
  await server.log.until('exchange', ({ query }) => query === 'code=503&body=c');
  const statuses = server.log.lines.filter(({ msg }) => msg === 'exchange').map(({ status }) => status);
  t.deepEqual(statuses, [200, 200, 503, 503, 503]);
});

test('nothing is written unless configured, and health checks are never written', async (t) => {
  const off = await start(t, { write: 'auto' });
  await requestHttp1(`${off.origin}/hello`);
  t.is(off.log.count('exchange'), 0);

  const on = await start(t, { write: 'always' }, { health: { live: '/livez' } });
  t.is((await requestHttp1(`${on.origin}/livez`)).status, 200);
  await requestHttp1(`${on.origin}/hello`);
  await lineOf(on, '/hello');
  t.is(on.log.count('exchange'), 1);
});

test('a reload switches the access log on', async (t) => {
  const server = await start(t, { write: 'never' });
  await requestHttp1(`${server.origin}/hello`);
  const { config } = server.server;
  await server.server.reload(
    { ...config, log: { ...config.log, access: { ...config.log.access, write: 'always' } } },
    new Set(),
  );
  await requestHttp1(`${server.origin}/status?code=404&body=x`);
  await lineOf(server, '/status');
  t.is(server.log.count('exchange'), 1);
});
