/** A request that has been answered, and that its peer does not complete, keeps neither a place in its thread nor its connection. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import { connectHttp2 } from '../../server/http2-client.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const application = fileURLToPath(new URL('applications/unread-rest.ts', import.meta.url));
  server = await startServer(scope, {
    pools: { only: { application, threads: { min: 1, max: 1 }, exchangesPerThread: 1 } },
  });
});
test.after.always(() => scope.end());

/** Sends a head and a part of the content that it announces. */
async function begin(t: ExecutionContext, path: string, ...fields: string[]): Promise<Socket> {
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.setEncoding('latin1');
  const head = [`POST ${path} HTTP/1.1`, 'Host: a', 'Content-Length: 10', ...fields];
  socket.write(`${head.join('\r\n')}\r\n\r\nhello`);
  return socket;
}

/** What arrives until the server's FIN. */
async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (piece: string) => {
    text += piece;
  });
  await once(socket, 'end');
  return text;
}

for (const path of ['/silent', '/listening']) {
  test.serial(`HTTP/1.1, ${path}: the thread takes the next request while the rest is missing`, async (t) => {
    const socket = await begin(t, path);
    const [answer] = await once(socket, 'data');
    t.regex(answer, /^HTTP\/1\.1 200 /);
    t.is((await requestHttp1(`${server.origin}/silent`)).status, 200);
    t.false(socket.readableEnded);
  });

  test.serial(`HTTP/1.1, ${path}: the connection is used again when the rest has arrived`, async (t) => {
    const socket = await begin(t, path);
    await once(socket, 'data');
    socket.write('world' + 'GET /silent HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    t.regex(await textOf(socket), /^HTTP\/1\.1 200 .*answer$/s);
  });

  test.serial(`HTTP/1.1, ${path}: an end of the connection does not wait for the rest`, async (t) => {
    t.regex(await textOf(await begin(t, path, 'Ends: 1')), /\r\nconnection: close\r\n.*answer$/s);
    t.regex(await textOf(await begin(t, path, 'Connection: close')), /\r\nconnection: close\r\n.*answer$/s);
  });

  test.serial(`HTTP/2, ${path}: the rest is stopped without an error (RFC 9113 section 8.1)`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const stream = session.request({ ':method': 'POST', ':path': path }, { endStream: false });
    stream.write('hello');
    stream.resume();
    await once(stream, 'close');
    t.is(stream.rstCode, 0);
    t.is((await requestHttp1(`${server.origin}/silent`)).status, 200);
  });
}

test.serial(
  'an application that ends the connection while it reads: the FIN follows the answer',
  async (t) => {
    const socket = await begin(t, '/reading');
    t.regex(await textOf(socket), /\r\nconnection: close\r\n.*answer$/s);
    socket.end('world');
    await once(socket, 'close');
    t.is((await requestHttp1(`${server.origin}/read`)).body.toString(), '10');
  },
);
