/** An upgrade listener that reads nothing hears that its peer has gone, as on a real socket, and the exchange ends. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';

const application = fileURLToPath(new URL('applications/unread.mjs', import.meta.url));
const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: { unread: { application, threads: { min: 1, max: 1 } } },
    routes: [{ path: '/*', pool: 'unread', websocket: true }],
  });
});
test.after.always(() => scope.end());

/** Asks for an upgrade, and sends the FIN once the answer ends with this. */
async function leaveAfter(t: ExecutionContext, path: string, ending: string): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  const fields = ['Host: a', 'Connection: Upgrade', 'Upgrade: websocket'];
  const key = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  socket.write(`GET ${path} HTTP/1.1\r\n${[...fields, ...key].join('\r\n')}\r\n\r\n`);
  let answer = '';
  while (!answer.endsWith(ending)) answer += String((await once(socket, 'data'))[0]);
  socket.end();
  await once(socket, 'close');
}

const heard = async (): Promise<string> => (await requestHttp1(`${server.origin}/heard`)).body.toString();

test.serial('a listener that has accepted hears the end', async (t) => {
  await leaveAfter(t, '/accepts', '\r\n\r\n');
  t.is(await heard(), 'end,close');
});

test.serial(
  'a listener that has declined, and not ended its response, hears that the connection is gone',
  async (t) => {
    await leaveAfter(t, '/declines', 'foo');
    t.is(await heard(), 'close');
  },
);
