/** What requests are called: believed of whom, found where, told to whom. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import WebSocket from 'ws';
import { Identifiers } from '../../runtime/logging/identifiers.ts';
import { RequestIds } from '../../runtime/logging/request-ids.ts';
import { FileScope, type ServerInput, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';

const application = (name: string) => fileURLToPath(new URL(`./applications/${name}.ts`, import.meta.url));
const pool = (name: string) => ({ application: application(name), threads: { min: 1, max: 1 } });
const trusting = { address: '127.0.0.1:0', trustedProxies: ['127.0.0.1'] };

const scope = new FileScope();
let shared: TestServer;

function start(to: FileScope | Parameters<typeof startServer>[0], more: Partial<ServerInput> = {}) {
  return startServer(to, {
    pools: { native: pool('native') },
    listeners: [trusting],
    log: { access: { write: 'always' } },
    requestId: {},
    ...more,
  });
}

test.before(async () => {
  shared = await start(scope, {
    pools: { native: pool('native'), node: pool('node'), fetch: pool('fetch') },
    routes: [
      { path: '/*', pool: 'native', websocket: true },
      { path: '/node/*', pool: 'node' },
      { path: '/fetch/*', pool: 'fetch' },
    ],
  });
});
test.after.always(() => scope.end());

test('every face finds it in the request field, the client in the response, the operator in the line', async (t) => {
  const session = await connectHttp2(t, shared.origin);
  const seen = new Set<unknown>();
  for (const path of ['/native', '/node/it', '/fetch/it']) {
    const first = await requestHttp1(`${shared.origin}${path}`);
    const second = await request(session, { ':path': path });
    for (const { headers, body } of [first, second]) {
      const id = headers['x-request-id'];
      t.deepEqual(JSON.parse(String(body)), [id], path);
      t.regex(String(id), /^[0-9a-z]{8}-[0-9a-z]{7}$/);
      seen.add(id);
      t.like(await shared.log.until('exchange', ({ requestId }) => requestId === id), { path, status: 200 });
    }
  }
  t.is(seen.size, 6);
});

test('a trusted proxy is believed, as far as the characters are safe and there is one line', async (t) => {
  const ask = async (headers: Record<string, string | string[]>) => {
    const { headers: answered, body } = await requestHttp1(`${shared.origin}/`, { headers });
    t.deepEqual(JSON.parse(String(body)), [answered['x-request-id']]);
    return answered['x-request-id'];
  };
  const longest = `a${'-._~:+/=@Z9'.repeat(20)}`.slice(0, 128);
  t.is(await ask({ 'x-request-id': longest }), longest);
  for (const unsafe of [`${longest}x`, 'a b', '', 'a"b', 'a,b', 'a\u00e9', '<script>', '$(reboot)'])
    t.not(await ask({ 'x-request-id': unsafe }), unsafe, unsafe);
  t.regex(String(await ask({ 'x-request-id': ['one', 'two'] })), /^[0-9a-z]{8}-[0-9a-z]{7}$/);
});

test('nobody else is: what a client sends is gone before the application looks', async (t) => {
  const server = await start(t, { listeners: [{ address: '127.0.0.1:0' }] });
  const { headers, body } = await requestHttp1(`${server.origin}/`, {
    headers: { 'x-request-id': ['forged', 'twice'] },
  });
  t.regex(String(headers['x-request-id']), /^[0-9a-z]{8}-0000001$/);
  t.deepEqual(JSON.parse(String(body)), [headers['x-request-id']]);
});

test('what an application says of it itself stays, and tunnels have it too', async (t) => {
  t.is((await requestHttp1(`${shared.origin}/own`)).headers['x-request-id'], 'of-the-application');
  const socket = new WebSocket(`${shared.origin.replace('http', 'ws')}/socket`, {
    headers: { 'x-request-id': 'of-the-proxy' },
  });
  const open = once(socket, 'open');
  const [response] = await once(socket, 'upgrade');
  t.is(response.headers['x-request-id'], 'of-the-proxy');
  await open;
  socket.terminate();
});

test('answers of the server itself have it, and so have failures and deaths in the log', async (t) => {
  const server = await start(t, {
    routes: [
      { path: '/here/*', pool: 'native' },
      { path: '/fail', pool: 'native' },
      { path: '/die', pool: 'native' },
    ],
  });
  const nowhere = await requestHttp1(`${server.origin}/elsewhere`, { headers: { 'x-request-id': 'lost' } });
  t.is(nowhere.status, 404);
  t.is(nowhere.headers['x-request-id'], 'lost');
  t.like(await server.log.until('exchange', ({ requestId }) => requestId === 'lost'), { outcome: 'refused' });

  const failed = await requestHttp1(`${server.origin}/fail`, { headers: { 'x-request-id': 'failing' } });
  t.is(failed.status, 500);
  t.is(failed.headers['x-request-id'], 'failing');
  t.is((await server.log.until('application failed')).requestId, 'failing');

  const died = await requestHttp1(`${server.origin}/die`, { headers: { 'x-request-id': 'dying' } });
  t.is(died.status, 502);
  t.is(died.headers['x-request-id'], 'dying');
  t.like((await server.log.until('thread died')).begun, [{ path: '/die', requestId: 'dying' }]);
});

test('the field can be another, and responses without it', async (t) => {
  const server = await start(t, { requestId: { field: 'x-correlation-id', respond: false } });
  const { headers } = await requestHttp1(`${server.origin}/`, { headers: { 'x-correlation-id': 'abc' } });
  t.false('x-correlation-id' in headers || 'x-request-id' in headers);
  t.is((await server.log.until('exchange')).requestId, 'abc');
});

test('without the section nothing is made, added or taken away', async (t) => {
  const server = await start(t, { requestId: undefined });
  const { headers, body } = await requestHttp1(`${server.origin}/`, {
    headers: { 'x-request-id': ['any', 'thing at all'] },
  });
  t.deepEqual(JSON.parse(String(body)), ['any', 'thing at all']);
  t.false('x-request-id' in headers);
  t.false('requestId' in (await server.log.until('exchange')));
});

test('a reload gives them, and takes them away', async (t) => {
  const server = await start(t, { requestId: undefined });
  const { config } = server.server;
  const idOf = async () => {
    const { headers, body } = await requestHttp1(`${server.origin}/`);
    return [headers['x-request-id'], JSON.parse(String(body))[0]];
  };
  await server.server.reload({ ...config, requestId: { field: 'x-request-id', respond: true } });
  const [id, seen] = await idOf();
  t.truthy(id);
  t.is(seen, id);
  await server.server.reload(config);
  t.deepEqual(await idOf(), [undefined, undefined]);
});

test('two servers never give the same, and one never gives one twice', (t) => {
  const one = new RequestIds('x-request-id');
  const other = new RequestIds('x-request-id');
  const given = Array.from({ length: 100 }, () => [one.of(false, []), other.of(false, [])]).flat();
  t.is(new Set(given).size, 200);
});

test('identifiers count in base 36, and begin again with other random digits when the count is over', (t) => {
  const identifiers = new Identifiers(() => 0);
  const given = Array.from({ length: 37 }, () => identifiers.next());
  t.deepEqual(
    [given[0], given[8], given[9], given[34], given[35], given[36]],
    ['1', '9', 'a', 'z', '10', '11'].map((count) => `00000000-${count.padStart(7, '0')}`),
  );
  const drawn = [35, 36 ** 8 - 1];
  const last = new Identifiers(() => drawn.shift() as number, 36 ** 7 - 2);
  t.deepEqual([last.next(), last.next()], ['0000000z-zzzzzzz', 'zzzzzzzz-0000001']);
});
