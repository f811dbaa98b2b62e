/** Tunnels and WebSockets take bytes, and text where there is text; all else is refused at the call and leaves them as they were. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { answer, connectHttp2 } from '../server/http2-client.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: {
      tunnels: {
        application: fileURLToPath(new URL('applications/refusing.ts', import.meta.url)),
        threads: { min: 1, max: 1 },
        // The server is to refuse them, not the validator.
        validate: false,
      },
    },
    routes: [{ path: '/*', pool: 'tunnels', websocket: true, connect: true }],
  });
});
test.after.always(() => scope.end());

test('a tunnel refuses what is no content', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const stream = session.request({ ':method': 'CONNECT', ':authority': 'a.invalid:1' }, { endStream: false });
  const whole = answer(stream);
  await once(stream, 'response');
  stream.end();
  const { body, how } = await whole;
  t.is(how, 'whole');
  t.deepEqual(JSON.parse(body.toString()), []);
});

test('a WebSocket refuses what is no message', async (t) => {
  const socket = new WebSocket(server.origin.replace('http', 'ws'));
  t.teardown(() => socket.close());
  const closed = once(socket, 'close');
  const [message] = await once(socket, 'message');
  t.deepEqual(JSON.parse(message.data), []);
  const [{ code }] = await closed;
  t.is(code, 1000);
});
