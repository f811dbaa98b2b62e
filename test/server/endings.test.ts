/** A connection that the server ends: what it said last arrives, also at a peer that reads slowly and goes on sending. */
import test, { type ExecutionContext } from 'ava';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';
import { application, FileScope, type ServerInput, startServer, type TestServer } from './harness.ts';
import {
  data,
  errorCode,
  type Frame,
  fieldBlock,
  frame,
  framesIn,
  headers,
  PREFACE,
  ping,
  requestHead,
  windowUpdate,
} from './raw-http2.ts';
import { SIGNALS_FIELD } from './signals.ts';
import { type Security, SlowReader } from './slow-reader.ts';

const COUNT = 600_000;
/** What an engine places in its output at once. */
const LITTLE = 100_000;
/** More than two systems' buffers hold. */
const MUCH = 16_000_000;
const EVERY_BYTES = 8_192;
const MASK = [0, 0, 0, 0];

const scope = new FileScope();
const pools = { words: { application: application('server', 'last-words'), threads: { min: 1, max: 1 } } };
const routes = [
  { path: '/*', pool: 'words', websocket: true },
  { host: '*.tunnel.invalid', path: '/*', pool: 'words', connect: true },
];

let authority: TestAuthority;
let certificate: { cert: string; key: string };
test.before(async () => {
  authority = await TestAuthority.create();
  certificate = new TestFiles(scope).certificate('s', await authority.issue({ names: ['localhost'] }));
});
test.after.always(() => scope.end());

for (const secure of [false, true]) {
  const how = secure ? 'over TLS' : 'in cleartext';
  let shared: Promise<TestServer> | null = null;

  const start = (more: Partial<ServerInput> = {}): Promise<TestServer> =>
    startServer(scope, { pools, routes, ...more, ...(secure && { listeners: [listener()] }) });
  const sharedServer = (): Promise<TestServer> => (shared ??= start());
  const connect = (t: ExecutionContext, { port }: TestServer, alpn: Security['alpn']): Promise<SlowReader> =>
    SlowReader.connect(t, port, secure ? { ca: authority.cert, alpn } : null);

  test.serial(
    `HTTP/2, drain: a response is read whole by a client that sends WINDOW_UPDATE and PING, ${how}`,
    async (t) => {
      const server = await start();
      const client = await connect(t, server, 'h2');
      const said = server.signals.until('said');
      client.send(...opening, headers(1, requestHead('GET', '/words', asking(server)), true));
      await said;
      // What the drain asks before it says which request was the last.
      client.send(frame(FrameType.Ping, Flag.Ack, 0, 'sluice\0\0'));
      const draining = server.server.drain();
      await untilLingering(server);
      const rest = await client.readAll(EVERY_BYTES, () =>
        Buffer.concat([windowUpdate(0, EVERY_BYTES), ping('and on..')]),
      );
      const frames = framesIn(rest);
      isWhole(t, frames, COUNT);
      t.is(errorCode(frames.findLast(({ type }) => type === FrameType.Goaway) as Frame), 0);
      t.is(client.error, null);
      await end(client, server);
      await draining;
    },
  );

  test.serial(
    `HTTP/2, a connection error: the responses before it are read whole, and its GOAWAY, ${how}`,
    async (t) => {
      const server = await sharedServer();
      const client = await connect(t, server, 'h2');
      const said = server.signals.until('said');
      client.send(...opening, headers(1, requestHead('GET', '/at-once', asking(server, LITTLE)), true));
      await said;
      await caughtUp(await connect(t, server, 'http/1.1'));
      // SETTINGS belong to no stream (RFC 9113 section 6.5).
      client.send(frame(FrameType.Settings, 0, 1));
      await untilLingering(server);
      const frames = framesIn(await client.readAll(EVERY_BYTES, () => windowUpdate(0, EVERY_BYTES)));
      isWhole(t, frames, LITTLE);
      t.is(errorCode(frames.findLast(({ type }) => type === FrameType.Goaway) as Frame), 1);
      t.is(client.error, null);
      await end(client, server);
    },
  );

  test.serial(
    `HTTP/2, a client that has closed its side: what was answered by then is read whole, ${how}`,
    async (t) => {
      const server = await sharedServer();
      const client = await connect(t, server, 'h2');
      const said = server.signals.until('said');
      client.send(...opening, headers(1, requestHead('GET', '/at-once', asking(server, LITTLE)), true));
      await said;
      await caughtUp(await connect(t, server, 'http/1.1'));
      client.socket.end();
      await untilLingering(server);
      isWhole(t, framesIn(await client.readAll(EVERY_BYTES, () => '')), LITTLE);
      t.is(client.error, null);
      await end(client, server);
    },
  );

  test.serial(
    `HTTP/2, a tunnel: its last bytes are read by a peer that goes on sending, ${how}`,
    async (t) => {
      const server = await sharedServer();
      const client = await connect(t, server, 'h2');
      const said = server.signals.until('said');
      const head = [
        [':method', 'CONNECT'],
        [':authority', 'a.tunnel.invalid:1'],
        ...Object.entries(asking(server)),
      ];
      client.send(...opening, headers(1, fieldBlock(head as [string, string][]), false));
      await said;
      const pieces: Buffer[] = [];
      let isEnded = false;
      while (!isEnded) {
        const piece = await client.read(EVERY_BYTES);
        if (piece === null) break;
        pieces.push(piece);
        client.send(data(1, 'and on'));
        const frames = framesIn(Buffer.concat(pieces));
        isEnded = frames.some(({ type, flags }) => type === FrameType.Data && (flags & Flag.EndStream) !== 0);
      }
      isWhole(t, framesIn(Buffer.concat(pieces)), COUNT);
    },
  );

  test.serial(
    `HTTP/1.1, drain: a response is read whole by a client that sends its next requests, ${how}`,
    async (t) => {
      const server = await start();
      const client = await connect(t, server, 'http/1.1');
      let isSaid = false;
      void server.signals.until('said').then(() => {
        isSaid = true;
      });
      client.send(`GET /words HTTP/1.1\r\nhost: a\r\n${lines(asking(server, MUCH))}\r\n`);
      const came: Buffer[] = [];
      // Until the application has said all, while much of it has not left the server.
      while (!isSaid) {
        const piece = await client.read(65_536);
        if (piece === null) break;
        came.push(piece);
        await turn();
      }
      const draining = server.server.drain();
      const rest = await client.readAll(65_536, () => 'GET /hello HTTP/1.1\r\nhost: a\r\n\r\n');
      const { status, content } = responseIn(Buffer.concat([...came, rest]));
      t.is(status, 200);
      // A request that came while the first was open is answered too, as the last.
      t.true(content.length >= MUCH && !content.subarray(0, MUCH).includes('HTTP/1.1'), `${content.length}`);
      t.is(client.error, null);
      await end(client, server);
      await draining;
    },
  );

  test.serial(
    `HTTP/1.1, an idle connection: its last response is read whole by a client that sends its next requests, ${how}`,
    async (t) => {
      const server = await start({ http1: { keepAliveTimeoutMs: 1 } });
      const client = await connect(t, server, 'http/1.1');
      client.send(`GET /words HTTP/1.1\r\nhost: a\r\n${lines(asking(server))}\r\n`);
      await untilLingering(server);
      const rest = await client.readAll(EVERY_BYTES, () => 'GET /hello HTTP/1.1\r\nhost: a\r\n\r\n');
      const { status, content } = responseIn(rest);
      t.is(status, 200);
      t.is(content.length, COUNT);
      t.is(client.error, null);
      await end(client, server);
    },
  );

  test.serial(
    `HTTP/1.1, a tunnel: its last bytes are read by a peer that goes on sending, ${how}`,
    async (t) => {
      const server = await sharedServer();
      const client = await connect(t, server, 'http/1.1');
      const authority = 'a.tunnel.invalid:1';
      client.send(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${lines(asking(server))}\r\n`);
      await untilLingering(server);
      const { status, content } = responseIn(await client.readAll(EVERY_BYTES, () => 'and on'));
      t.is(status, 200);
      t.is(content.length, COUNT);
      t.is(client.error, null);
      await end(client, server);
    },
  );

  test.serial(
    `HTTP/1.1, a WebSocket: its last message and Close are read by a peer that goes on sending, ${how}`,
    async (t) => {
      const server = await sharedServer();
      const client = await connect(t, server, 'http/1.1');
      const said = server.signals.until('said');
      const upgrade = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      };
      client.send(`GET /socket HTTP/1.1\r\nhost: a\r\n${lines({ ...upgrade, ...asking(server) })}\r\n`);
      await said;
      client.send(Buffer.from([0x88, 0x80, ...MASK]));
      await untilLingering(server);
      const { status, content } = responseIn(
        await client.readAll(EVERY_BYTES, () => Buffer.from([0x89, 0x80, ...MASK])),
      );
      t.is(status, 101);
      const headBytes = 10;
      // An empty Close in answer to the client's, or one that says 1000 if it came first.
      t.is(content[headBytes + COUNT], 0x88);
      t.is(content.length, headBytes + COUNT + 2 + (content[headBytes + COUNT + 1] as number));
      t.is(client.error, null);
      await end(client, server);
    },
  );

  for (const [what, authority, expected] of [
    ['the server', 'elsewhere.invalid:1', 501],
    ['an application', 'refused.tunnel.invalid:1', 403],
  ] as const) {
    test.serial(
      `HTTP/1.1, a CONNECT that ${what} refuses: the answer is read by a peer that sends all the same, ${how}`,
      async (t) => {
        const server = await sharedServer();
        const client = await connect(t, server, 'http/1.1');
        const refused = { ...asking(server), ...(expected === 403 && { 'x-refuse': '403' }) };
        client.send(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${lines(refused)}\r\n`);
        client.send(Buffer.alloc(20_000, 'eager'));
        await untilLingering(server);
        for (let count = 0; count < 20; count++) {
          client.send('and on');
          await turn();
        }
        const { status } = responseIn(await client.readAll(10, () => 'and on'));
        t.is(status, expected);
        t.is(client.error, null);
        await end(client, server);
      },
    );
  }
}

/** With windows that hold nothing back. */
const opening = [
  PREFACE,
  frame(FrameType.Settings, 0, 0, Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff])),
  frame(FrameType.Settings, Flag.Ack, 0),
  windowUpdate(0, 2 ** 30),
] as const;

function listener(): NonNullable<ServerInput['listeners']>[number] {
  return { address: '127.0.0.1:0', tls: { certificates: [certificate], watch: false } };
}

/** What the application is told. */
function asking({ signals }: TestServer, count = COUNT): Readonly<Record<string, string>> {
  return { 'x-count': String(count), [SIGNALS_FIELD]: signals.name };
}

function lines(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * The reactor has heard all that the thread has said so far: an exchange on another connection comes behind it, from the only thread
 * there is.
 */
async function caughtUp(other: SlowReader): Promise<void> {
  other.send('GET /hello HTTP/1.1\r\nhost: a\r\n\r\n');
  for (let answer = ''; !answer.endsWith('hello'); ) answer += String(await other.read(1_000));
  other.socket.destroy();
}

/** The server has ended the connection for its part. */
async function untilLingering({ server }: TestServer): Promise<void> {
  while (server.lingeringConnections === 0) await turn();
}

/** The connection is over for both. */
async function end({ socket }: SlowReader, { server }: TestServer): Promise<void> {
  socket.end();
  while (server.lingeringConnections > 0) await turn();
}

function isWhole(t: ExecutionContext, frames: readonly Frame[], count: number): void {
  const content = frames.filter(({ type }) => type === FrameType.Data);
  t.is(
    content.reduce((bytes, { payload }) => bytes + payload.length, 0),
    count,
  );
  t.true(content.some(({ flags }) => (flags & Flag.EndStream) !== 0));
}

function responseIn(bytes: Buffer): { readonly status: number; readonly content: Buffer } {
  const at = bytes.indexOf('\r\n\r\n');
  return { status: Number(bytes.toString('latin1', 9, 12)), content: bytes.subarray(at + 4) };
}
