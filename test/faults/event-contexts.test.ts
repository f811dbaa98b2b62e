/**
 * No listener runs in the async context of another exchange, whatever it listens to: contents, ends, callbacks of writes, and the messages of `ws` on
 * the socket of an upgrade.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { WebSocket } from 'ws';
import { FileScope, type TestServer } from '../server/harness.ts';
import { answer, connectHttp2 } from '../server/http2-client.ts';
import { SIGNALS_FIELD, Signals } from '../server/signals.ts';
import { startContextServer, users } from './context-server.ts';

/** Applications that listen to all that happens to an upload. */
const LISTENING = ['events-exchange', 'events-handler', 'events-node', 'events-pipe', 'events-fetch'];
const ROUNDS = 5;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startContextServer(scope, LISTENING, 'ws', { queue: { maxWaitMs: 600_000 } });
});
test.after.always(() => scope.end());

/** Uploads whose pieces come in turns: the first of each, then the second of each. */
for (const kind of LISTENING) {
  test(`${kind}: what listens to uploads in turns on one connection never runs in another's context`, async (t) => {
    const signals = new Signals(`${kind} over HTTP/2`);
    t.teardown(() => signals.close());
    const session = await connectHttp2(t, server.origin);
    const streams = users.map((user) =>
      session.request({
        ':path': `/${kind}/`,
        ':method': 'POST',
        [SIGNALS_FIELD]: signals.name,
        ...(user !== undefined && { 'x-user': user }),
      }),
    );
    const answers = streams.map((stream) => answer(stream));
    for (let piece = 0; piece < ROUNDS; piece++)
      for (const stream of streams) stream.write(`piece ${piece} `);
    for (const stream of streams) stream.end();
    for (const { body } of await Promise.all(answers))
      t.is(body.toString().split(' ').length, 2 * ROUNDS + 1);
    await signals.until('told', users.length);
    t.is(signals.heard('own'), users.length);
  });

  test(`${kind}: what listens to uploads in turns on many connections never runs in another's context`, async (t) => {
    const signals = new Signals(`${kind} over HTTP/1.1`);
    t.teardown(() => signals.close());
    const head = (user = 'somebody'): string =>
      `POST /${kind}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nX-User: ${user}\r\n${SIGNALS_FIELD}: ${signals.name}\r\n\r\n`;
    const sockets = users.map((user) => {
      const socket = connect({ port: server.port, host: '127.0.0.1' });
      t.teardown(() => socket.destroy());
      socket.resume().write(head(user));
      return socket;
    });
    const ended = sockets.map((socket) => once(socket, 'end'));
    for (let piece = 0; piece < ROUNDS; piece++) for (const socket of sockets) socket.write('5\r\npiece\r\n');
    for (const socket of sockets) socket.write('0\r\n\r\n');
    await Promise.all(ended);
    await signals.until('told', users.length);
    t.is(signals.heard('own'), users.length);
  });
}

test('ws on the sockets of upgrades: no listener runs in the context of another', async (t) => {
  const sockets = users.map((user) => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, {
      headers: user === undefined ? {} : { 'x-user': user },
    });
    t.teardown(() => socket.terminate());
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'open')));
  for (let round = 0; round < ROUNDS; round++) {
    const answers = sockets.map((socket) => once(socket, 'message'));
    for (const socket of sockets) socket.send(`round ${round}`);
    for (const socket of sockets) socket.ping();
    for (const [said] of await Promise.all(answers)) t.is(String(said), 'own');
  }
});
