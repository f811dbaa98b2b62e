/** Sockets in application threads have what a net.Socket has, and none of it throws where a net.Socket does not. */
import { once } from 'node:events';
import { request as sendHttp1 } from 'node:http';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, type Scope, startServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import { KEY, RefusedError, ways } from '../../websocket/byte-streams.ts';
import type { SocketServer } from '../../websocket/server.ts';
import { timeouts, upgradeSockets } from './applications/upgrade-sockets.ts';
import { listen } from './reference.ts';

const scope = new FileScope();
let server: SocketServer;

test.before(async () => {
  const application = fileURLToPath(new URL('applications/upgrade-sockets.ts', import.meta.url));
  const started = await startServer(scope, {
    pools: {
      sockets: { application, threads: { min: 1, max: 1 } },
      // An exchange that is not over leaves room for no other.
      single: { application, threads: { min: 1, max: 1 }, exchangesPerThread: 1 },
    },
    routes: [
      { path: '/*', pool: 'sockets', websocket: true },
      { path: '/single/*', pool: 'single', websocket: true },
    ],
  });
  server = { ...started, scope };
});
test.after.always(() => scope.end());

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-key': KEY,
  'sec-websocket-version': '13',
};

/** What a listener on node:http has seen. */
async function onNode(scope: Scope, path: string): Promise<unknown> {
  const { origin } = await listen(scope, upgradeSockets());
  const outgoing = sendHttp1(`${origin}/${path}`, { headers: UPGRADE });
  outgoing.on('error', () => undefined);
  outgoing.on('upgrade', (_response, socket) => {
    scope.teardown(() => socket.destroy());
    socket.on('error', () => undefined).resume();
    socket.write('ping');
  });
  outgoing.end();
  await once(outgoing, 'upgrade').catch(() => undefined);
  return JSON.parse((await requestHttp1(`${origin}/told`)).body.toString());
}

for (const way of ways) {
  for (const path of Object.keys(timeouts)) {
    test.serial(`the socket of an upgrade over HTTP/${way.version}, ${path}: as a net.Socket`, async (t) => {
      const accepted = await way.webSocket(t, server, `/${path}`).catch(() => null);
      accepted?.stream.on('error', () => undefined).resume();
      accepted?.stream.write('ping');
      const seen = JSON.parse((await requestHttp1(`${server.origin}/told`)).body.toString());
      t.deepEqual(seen, await onNode(t, path));
    });
  }

  test(`the socket of an upgrade over HTTP/${way.version} is what it is on node:http`, async (t) => {
    const seen = await t.throwsAsync(way.webSocket(t, server, '/facts'), { instanceOf: RefusedError });
    const { origin } = await listen(t, upgradeSockets());
    const expected = await new Promise<string>((resolve) => {
      sendHttp1(`${origin}/facts`, { headers: UPGRADE }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          body += piece;
        });
        response.on('end', () => resolve(body));
      }).end();
    });
    t.deepEqual(JSON.parse(seen.body), JSON.parse(expected));
    t.like(JSON.parse(expected), { server: true, methods: [] });
  });

  test(`the socket of an upgrade over HTTP/${way.version} is destroyed when what was written has gone`, async (t) => {
    const { stream } = await way.webSocket(t, server, '/destroy-soon');
    let text = '';
    for await (const piece of stream) text += piece;
    t.is(text, 'last');
  });

  test(`an upgrade over HTTP/${way.version} is over when its listener has ended a socket that nobody reads`, async (t) => {
    for (let n = 0; n < 2; n++) {
      await t.throwsAsync(way.webSocket(t, server, '/single/refused'), { instanceOf: RefusedError });
      const { stream } = await way.webSocket(t, server, '/single/end-unread');
      stream.end('unread');
      let text = '';
      for await (const piece of stream) text += piece;
      t.is(text, 'last');
    }
    t.is((await requestHttp1(`${server.origin}/single/alive`)).body.toString(), 'alive');
  });

  for (const step of ['reset', 'late', 'destroy-request']) {
    test(`the socket of an upgrade over HTTP/${way.version}, ${step}: the tunnel is over, and nobody else`, async (t) => {
      const accepted = await way.webSocket(t, server, `/${step}`).catch(() => null);
      if (accepted !== null) {
        const { stream } = accepted;
        const over = ['end', 'close'].map((event) => new Promise((resolve) => stream.once(event, resolve)));
        stream.on('error', () => undefined).resume();
        if (!stream.closed) await Promise.race(over);
      }
      t.is((await requestHttp1(`${server.origin}/alive`)).body.toString(), 'alive');
      t.is(server.log.count('thread died'), 0);
    });
  }
}
