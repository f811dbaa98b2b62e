/**
 * Attackers that do almost nothing, on many connections and streams at once, against a live server. After its
 * deadline the server takes back what each of them holds, and it serves an honest client all the while.
 */
import test from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import { fieldBlock, frameHead, getFields } from '../http2/frames.ts';
import { FileScope, type Scope } from '../server/harness.ts';
import { data, errorCode, frame, headers, RawHttp2 } from '../server/raw-http2.ts';
import { besiege, rawSocket, startTarget, type Target } from './siege.ts';

const CONNECTIONS = 100;
const STREAMS = 100;
const CANCEL = 8;
/** As short as the server's clock can resolve. */
const rate = { bytesPerSecond: 1_000, windowMs: 1_000 };
const limits = { headerTimeoutMs: 1_000, idleTimeoutMs: 1_000, requestRate: rate, responseRate: rate };

const scope = new FileScope();
let target: Target;

test.before(async () => {
  target = await startTarget(scope, { limits });
});
test.after.always(() => scope.end());

const request = (method: string, path: string): Buffer =>
  fieldBlock([':method', method, ...getFields.slice(2, -1), path]);

/** Trickles until the returned function is called. */
function drip(send: () => void): () => void {
  const dripping = setInterval(send, 100);
  return () => clearInterval(dripping);
}

/** The same on many connections at once; resolves with the outcome of the last one. */
async function onMany(attack: (n: number) => Promise<string>): Promise<string> {
  const outcomes = await Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => attack(n)));
  return [...new Set(outcomes)].join();
}

async function head1(at: Scope, port: number): Promise<string> {
  const socket = rawSocket(at, port);
  socket.send('GET /hello HTTP/1.1\r\nhost: a\r\nx: ');
  const stop = drip(() => socket.send('x'));
  await socket.closed;
  stop();
  return socket.text().slice(9, 12);
}

async function body1(at: Scope, port: number): Promise<string> {
  const socket = rawSocket(at, port);
  socket.send('POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n');
  const stop = drip(() => socket.send('x'));
  await socket.closed;
  stop();
  return socket.text().slice(9, 12);
}

async function head2(at: Scope, port: number): Promise<string> {
  const client = await RawHttp2.connect(at, port);
  client.send(
    frame(FrameType.Headers, 1, 1, request('GET', '/hello')),
    frameHead(FrameType.Continuation, 0, 1, 16_384),
  );
  const stop = drip(() => client.send(Buffer.from([0])));
  await client.closed;
  stop();
  return 'closed';
}

async function body2(at: Scope, port: number): Promise<string> {
  const client = await RawHttp2.connect(at, port);
  for (let id = 1; id < 2 * STREAMS; id += 2) client.send(headers(id, request('POST', '/read'), false));
  let id = 1;
  const stop = drip(() => {
    client.send(data(id, 'x'));
    id = (id + 2) % (2 * STREAMS);
  });
  await Promise.all(
    Array.from({ length: STREAMS }, (_, n) => client.untilFrame(FrameType.RstStream, 2 * n + 1)),
  );
  stop();
  const heads = client.frames.filter(({ type }) => type === FrameType.Headers);
  const statuses = new Set(heads.map((came) => client.decode(came).get(':status')));
  client.socket.destroy();
  return [...statuses].join();
}

/** Requests much on every stream and opens no window (CVE-2019-9517). */
async function stalled(at: Scope, port: number): Promise<string> {
  const client = await RawHttp2.connect(at, port, { settings: { [SettingId.InitialWindowSize]: 0 } });
  for (let id = 1; id < 2 * STREAMS; id += 2) client.send(headers(id, request('GET', '/large'), true));
  const resets = Array.from({ length: STREAMS }, (_, n) => client.untilFrame(FrameType.RstStream, 2 * n + 1));
  const codes = new Set((await Promise.all(resets)).map(errorCode));
  client.socket.destroy();
  return [...codes].join();
}

async function idle(at: Scope, port: number, n: number): Promise<string> {
  const client = await RawHttp2.connect(at, port, { keep: false });
  // Every other stream has been served before it falls silent.
  if (n % 2 === 0) client.send(headers(1, request('GET', '/hello'), true));
  await client.closed;
  return 'closed';
}

async function silent(at: Scope, port: number): Promise<string> {
  await rawSocket(at, port).closed;
  return 'closed';
}

for (const [name, outcome, strike] of [
  ['slow loris: heads that drip over HTTP/1.1', '408', (at, port) => onMany(() => head1(at, port))],
  ['slow loris: heads that drip over HTTP/2', 'closed', (at, port) => onMany(() => head2(at, port))],
  ['slow loris: bodies that drip over HTTP/1.1', '408', (at, port) => onMany(() => body1(at, port))],
  ['slow loris: bodies that drip on many streams of HTTP/2', '408', body2],
  ['windows of nothing on many streams (CVE-2019-9517)', String(CANCEL), stalled],
  ['connections that say nothing', 'closed', (at, port) => onMany(() => silent(at, port))],
  ['connections that are idle', 'closed', (at, port) => onMany((n) => idle(at, port, n))],
] satisfies readonly (readonly [string, string, (at: Scope, port: number) => Promise<string>])[]) {
  test(name, async (t) => {
    const outcomes = await besiege(t, target, { attackers: 1, rounds: 50, strike });
    t.deepEqual([...new Set(outcomes)], [outcome]);
  });
}

test.serial('any number of connections from one address leaves room for others', async (t) => {
  const most = 50;
  const strict = await startTarget(t, {
    limits: { maxConnections: 100, maxConnectionsPerAddress: most },
    http1: { keepAliveTimeoutMs: 60_000 },
  });
  let held = 0;
  const outcomes = await besiege(t, strict, {
    attackers: 100,
    rounds: 10_000,
    strike: async (at, port) => {
      const socket = rawSocket(at, port, '127.0.0.2');
      socket.send('GET /hello HTTP/1.1\r\nhost: a\r\n\r\n');
      await Promise.race([socket.closed, socket.answered]);
      if (socket.text() === '') return 'refused';
      held++;
      return 'served';
    },
  });
  t.is(held, most);
  t.true(outcomes.includes('refused'));
});
