/** Third-party clients: ws, undici and Node's own WebSocket over HTTP/1.1. */
import { once } from 'node:events';
import test from 'ava';
import { WebSocket as UndiciWebSocket } from 'undici';
import { WebSocket as WsWebSocket } from 'ws';
import { FileScope } from '../server/harness.ts';
import { type SocketServer, startSockets } from './server.ts';

const scope = new FileScope();
let server: SocketServer;
test.before(async () => {
  server = await startSockets(scope);
});
test.after.always(() => scope.end());

const url = (path: string) => `ws://127.0.0.1:${server.port}${path}`;

test('ws: messages, deflate, subprotocol, pings and close codes', async (t) => {
  const socket = new WsWebSocket(url('/echo-deflated'), { perMessageDeflate: { threshold: 0 } });
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  t.is(socket.extensions, 'permessage-deflate');
  const text = 'again and again '.repeat(10_000);
  socket.send(text);
  const [message, isBinary] = await once(socket, 'message');
  t.is(String(message), text);
  t.false(isBinary);
  socket.send(Buffer.from([1, 2, 3]));
  const [bytes, binary] = await once(socket, 'message');
  t.deepEqual(bytes, Buffer.from([1, 2, 3]));
  t.true(binary);
  socket.ping('there?');
  const [pong] = await once(socket, 'pong');
  t.is(String(pong), 'there?');
  socket.close(4321, 'enough');
  const [code, reason] = await once(socket, 'close');
  t.is(code, 4321);
  t.is(String(reason), '');
});

test('ws: a subprotocol is selected, and a refusal is an unexpected response', async (t) => {
  const socket = new WsWebSocket(url('/protocols'), ['other', 'chat.v1']);
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  t.is(socket.protocol, 'chat.v1');
  socket.close();
  const [code] = await once(socket, 'close');
  t.is(code, 1005);

  const refused = new WsWebSocket(url('/refuse'));
  refused.on('error', () => undefined);
  const [, response] = await once(refused, 'unexpected-response');
  t.is(response.statusCode, 403);
  refused.terminate();
});

test('ws: the application closes, and the server ends the connection first', async (t) => {
  const socket = new WsWebSocket(url('/close?code=4000&reason=because'));
  t.teardown(() => socket.terminate());
  const [code, reason] = await once(socket, 'close');
  t.is(code, 4000);
  t.is(String(reason), 'because');
});

test('ws: a pinged client answers and stays connected', async (t) => {
  const socket = new WsWebSocket(url('/pinged'));
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  await once(socket, 'ping');
  socket.send('still here');
  const [message] = await once(socket, 'message');
  t.is(String(message), 'still here');
  socket.close();
  await once(socket, 'close');
});

for (const [name, Client] of [
  ['undici', UndiciWebSocket],
  ['Node', globalThis.WebSocket],
] as const) {
  test(`${name}: messages both ways, the subprotocol and the close code`, async (t) => {
    const socket = new Client(url('/protocols'), ['chat.v2']);
    t.teardown(() => socket.close());
    socket.binaryType = 'arraybuffer';
    const next = (type: 'open' | 'message' | 'close') =>
      new Promise<{ data?: unknown; code?: number; wasClean?: boolean }>((resolve) =>
        socket.addEventListener(type, (event: object) => resolve(event), { once: true }),
      );
    await next('open');
    t.is(socket.protocol, 'chat.v2');
    let message = next('message');
    socket.send('hello');
    t.is((await message).data, 'hello');
    message = next('message');
    socket.send(Uint8Array.of(1, 2, 3));
    t.deepEqual(new Uint8Array((await message).data as ArrayBuffer), Uint8Array.of(1, 2, 3));
    const closed = next('close');
    socket.close(3456, 'done');
    t.like(await closed, { code: 3456, wasClean: true });
  });
}
