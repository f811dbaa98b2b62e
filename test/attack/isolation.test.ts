/**
 * What must never happen: a slow stream that delays another on the same connection, memory that grows with
 * what a peer sends, a response that reaches another exchange, and a field that two tiers could read
 * differently.
 */
import { randomInt } from 'node:crypto';
import type { ClientHttp2Session } from 'node:http2';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import * as fc from 'fast-check';
import { FrameType } from '../../runtime/http2/frames.ts';
import { RawClient } from '../http1/raw.ts';
import { fieldBlock, getFields } from '../http2/frames.ts';
import { application, FileScope, startServer, type TestServer } from '../server/harness.ts';
import { answer, connectHttp2 } from '../server/http2-client.ts';
import {
  data,
  errorCode,
  headers,
  ping,
  RawHttp2,
  requestHead,
  rstStream,
  windowUpdate,
} from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { startTarget } from './siege.ts';

const STREAM_WINDOW = 16_384;
const MEBIBYTE = 1_048_576;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const isolated = fileURLToPath(new URL('applications/isolated.ts', import.meta.url));
  server = await startServer(scope, {
    pools: {
      isolated: { application: isolated, threads: { min: 2, max: 2 } },
      busy: { application: application('server', 'staged'), threads: { min: 1, max: 1 } },
    },
    http2: { streamWindowBytes: STREAM_WINDOW, maxStreamWindowBytes: STREAM_WINDOW },
  });
});
test.after.always(() => scope.end());

// ---- a slow stream that delays another on the same connection

test('an unread response, an unread upload and a computing thread delay no other stream of their connection', async (t) => {
  const { signals } = server;
  const client = await RawHttp2.connect(t, server.port);
  const blocked = signals.until('begun');
  client.send(windowUpdate(0, 0x7fff_0000));
  client.send(headers(1, requestHead('GET', '/endless'), true));
  client.send(headers(3, requestHead('POST', '/unread'), false), data(3, Buffer.alloc(STREAM_WINDOW)));
  client.send(headers(5, requestHead('GET', '/busy/block', { [SIGNALS_FIELD]: signals.name }), true));
  await client.until(() => client.dataBytes >= 65_535);
  await blocked;
  for (let id = 7; id < 207; id += 2) {
    client.send(headers(id, requestHead('GET', '/hello'), true));
    const { payload } = await client.untilFrame(FrameType.Data, id);
    t.is(payload.toString(), 'hello');
  }
  // The slow streams have made no progress.
  t.is(client.dataBytes, 65_535 + 100 * 'hello'.length);
  t.is(client.frames.filter(({ type, streamId }) => type === FrameType.Headers && streamId === 5).length, 0);
  signals.tell('release');
  await client.untilFrame(FrameType.Headers, 5);
});

test('a large stream leaves the others their turns: a small response waits only for bytes of the large one that are already on their way', async (t) => {
  const client = await RawHttp2.connect(t, server.port, { keep: false });
  client.send(
    windowUpdate(0, 0x7fff_0000),
    headers(1, requestHead('GET', '/endless'), true),
    windowUpdate(1, 0x7fff_0000),
  );
  let before = 0;
  let most = 0;
  let id = 1;
  await new Promise<void>((resolve) => {
    client.onFrame = ({ type, streamId }) => {
      if (type !== FrameType.Data) return;
      if (id > 1 && streamId !== id) return;
      most = Math.max(most, client.dataBytes - before);
      if (id === 101) return resolve();
      id += 2;
      before = client.dataBytes;
      client.send(headers(id, requestHead('GET', '/hello'), true));
    };
  });
  client.socket.destroy();
  // How much lies in the systems' buffers is unknown; it is megabytes, and less than the whole response.
  t.true(most < 64 * MEBIBYTE, `${most} bytes came between a small request and its response`);
});

// ---- memory that grows with what a peer sends

test('however much a peer has sent, its memory stays within its windows', async (t) => {
  const plenty = { burst: 1_000_000_000, perSecond: 1_000_000_000 };
  const target = await startTarget(t, {
    http2: {
      streamWindowBytes: STREAM_WINDOW,
      maxStreamWindowBytes: STREAM_WINDOW,
      connectionWindowBytes: MEBIBYTE,
      budgets: { peerResets: plenty },
    },
  });
  const clients = await Promise.all(
    Array.from({ length: 8 }, () => RawHttp2.connect(t, target.port, { keep: false })),
  );
  const content = data(1, Buffer.alloc(STREAM_WINDOW));
  /** On each connection, 60 uploads fill their windows and are then canceled. */
  const round = async (n: number): Promise<void> => {
    await Promise.all(
      clients.map((client) => {
        const ids = Array.from({ length: 60 }, (_, at) => 2 * (n * 60 + at) + 1);
        for (const id of ids) {
          content.writeUInt32BE(id, 5);
          client.send(headers(id, requestHead('POST', '/unread'), false), content);
        }
        const taken = new Promise<void>((resolve) => {
          client.onFrame = ({ type, flags }) => {
            if (type === FrameType.Ping && flags === 1) resolve();
          };
        });
        client.send(...ids.map((id) => rstStream(id, 8)), ping('all sent'));
        return taken;
      }),
    );
  };
  let rounds = 0;
  while (rounds < 5) await round(rounds++);
  const before = target.residentBytes();
  while (rounds < 30) await round(rounds++);
  const grown = target.residentBytes() - before;
  // Each round sent 7.5 MiB, 190 MiB since the first reading.
  t.true(grown <= 64 * MEBIBYTE, `the server grew by ${Math.round(grown / MEBIBYTE)} MiB`);
});

// ---- a response that reaches another exchange

/** A body that only this exchange sends. */
function bodyOf(name: string, length: number): Buffer {
  return Buffer.alloc(length, `${name}|`);
}

test('each of thousands of concurrent exchanges, some of them cut off, gets back what it sent and nothing else', async (t) => {
  const seed = randomInt(2 ** 31);
  t.log(`seed ${seed}`);
  const [lengths = [], cuts = []] =
    fc.sample(
      fc.tuple(
        fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1_500, maxLength: 1_500 }),
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1_500, maxLength: 1_500 }),
      ),
      { seed, numRuns: 1 },
    )[0] ?? [];
  const sessions = await Promise.all(Array.from({ length: 4 }, () => connectHttp2(t, server.origin)));
  let whole = 0;
  const mirror = async (session: ClientHttp2Session, n: number): Promise<void> => {
    const name = `exchange-${n}`;
    const sent = bodyOf(name, lengths[n] as number);
    const stream = session.request({ ':path': '/mirror', ':method': 'POST', 'x-name': name });
    const came = answer(stream);
    stream.end(sent);
    // One exchange in ten is canceled when the first part of its response has arrived.
    if (cuts[n] === 0) stream.once('data', () => stream.close(8));
    const { headers: head, trailers, body, how } = await came;
    if (head[':status'] !== undefined) t.is(head['x-name'], name);
    t.true(sent.subarray(0, body.length).equals(body));
    if (how === 'cut' || cuts[n] === 0) return;
    whole++;
    t.is(body.length, sent.length);
    t.is(trailers['x-name'], name);
  };
  let next = 0;
  const walk = async (session: ClientHttp2Session): Promise<void> => {
    while (next < lengths.length) await mirror(session, next++);
  };
  await Promise.all(sessions.flatMap((session) => Array.from({ length: 32 }, () => walk(session))));
  t.true(whole > 1_000);
});

test('pipelined HTTP/1.1 requests are answered in order, whichever is ready first', async (t) => {
  const client = await RawClient.connect(t, server.port);
  const names = Array.from({ length: 100 }, (_, n) => `exchange-${n}`);
  const length = (n: number): number => (n * 7_919) % 20_000;
  for (const [n, name] of names.entries()) {
    const body = bodyOf(name, length(n)).toString('latin1');
    client.send(
      `POST /mirror HTTP/1.1\r\nhost: a\r\nx-name: ${name}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  }
  for (const [n, name] of names.entries()) {
    const { status, fields, body } = await client.response();
    t.deepEqual([status, fields['x-name']], [200, name]);
    t.is(body, bodyOf(name, length(n)).toString('latin1'));
  }
});

// ---- a field that two tiers could read differently

/**
 * Lines after the request line of a request to /seen. What follows them must never be taken for a request.
 */
const ambiguous1: readonly (readonly [title: string, lines: readonly string[]])[] = [
  ['two lengths (RFC 9112 section 6.3)', ['content-length: 5', 'content-length: 6']],
  ['one length twice in a line', ['content-length: 5, 6']],
  ['a length with a sign', ['content-length: +5']],
  ['a length in hexadecimal', ['content-length: 0x5']],
  ['a length and a coding (RFC 9112 section 6.1)', ['content-length: 5', 'transfer-encoding: chunked']],
  ['a coding that is not chunked at its end', ['transfer-encoding: chunked, gzip']],
  ['chunked twice', ['transfer-encoding: chunked', 'transfer-encoding: chunked']],
  ['a coding with a vertical tab', ['transfer-encoding: \x0bchunked']],
  ['a space before the colon (RFC 9112 section 5.1)', ['content-length : 5']],
  ['a folded line (RFC 9112 section 5.2)', ['x-a: 1', ' content-length: 5']],
  ['a line that a bare LF ends', ['x-a: 1\ncontent-length: 5']],
  ['a line that a bare CR ends', ['x-a: 1\rcontent-length: 5']],
  ['a NUL in a value', ['x-a: 1\x002']],
  ['two hosts (RFC 9112 section 3.2)', ['host: b']],
  ['a name that is no token', ['x(a): 1']],
  ['an empty name', [': 1']],
];

for (const [title, lines] of ambiguous1) {
  test(`HTTP/1.1: ${title}: 400, and the connection ends`, async (t) => {
    const client = await RawClient.connect(t, server.port);
    const smuggled = 'GET /hello HTTP/1.1\r\nhost: a\r\n\r\n';
    client.send(`POST /seen HTTP/1.1\r\nhost: a\r\n${lines.join('\r\n')}\r\n\r\n0\r\n\r\n${smuggled}`);
    const text = await client.untilClosed();
    t.regex(text, /^HTTP\/1\.1 400 /);
    t.is(text.split('HTTP/1.1 ').length, 2, 'what stood behind was taken for a request');
  });
}

const PROTOCOL_ERROR = 1;
const post = [':method', 'POST', ...getFields.slice(2, -1), '/seen'];

const ambiguous2: readonly (readonly [title: string, fields: readonly string[]])[] = [
  ['two lengths (RFC 9110 section 8.6)', [...post, 'content-length', '5', 'content-length', '6']],
  ['a length with a sign', [...post, 'content-length', '+5']],
  ['a coding (RFC 9113 section 8.2.2)', [...post, 'transfer-encoding', 'chunked']],
  ['a Host that is not :authority (RFC 9113 section 8.3.1)', [...post, 'host', 'other.test']],
  [
    'two hosts without :authority',
    [':method', 'GET', ':scheme', 'http', ':path', '/seen', 'host', 'a', 'host', 'b'],
  ],
  ['two paths (RFC 9113 section 8.3)', [...post, ':path', '/other']],
  ['a pseudo-field behind a field', [...post.slice(0, -2), 'x', 'y', ':path', '/seen']],
  ['a request line in the path', [...post.slice(0, -1), '/seen HTTP/1.1\r\nx: y']],
  ['a space in the path', [...post.slice(0, -1), '/seen /other']],
  ['a space in the method', [':method', 'GET /other', ...post.slice(2)]],
  [
    'user information in :authority',
    [':method', 'GET', ':scheme', 'http', ':authority', 'a@b', ':path', '/seen'],
  ],
  ['a line break in a value (RFC 9113 section 8.2.1)', [...post, 'x', 'y\r\nz: 1']],
  ['a NUL in a value', [...post, 'x', 'y\0']],
  ['a space before a value', [...post, 'x', ' y']],
  ['a colon in a name', [...post, 'x:y', 'z']],
  ['a space in a name', [...post, 'x y', 'z']],
  ['an upper-case name', [...post, 'X', 'y']],
];

for (const [title, fields] of ambiguous2) {
  test(`HTTP/2: ${title}: the stream ends with PROTOCOL_ERROR`, async (t) => {
    const client = await RawHttp2.connect(t, server.port);
    client.send(headers(1, fieldBlock(fields), false));
    t.is(errorCode(await client.untilFrame(FrameType.RstStream, 1)), PROTOCOL_ERROR);
    t.is(client.frames.filter(({ type }) => type === FrameType.Headers).length, 0);
  });
}

test('requests that both versions accept reach the application with the same fields', async (t) => {
  const second = await RawHttp2.connect(t, server.port);
  const extra = ['x-list', '1', 'x-list', '2', 'accept', 'text/plain', 'x-empty', ''];
  second.send(
    headers(
      1,
      fieldBlock([':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/seen', ...extra]),
      true,
    ),
  );
  const first = await RawClient.connect(t, server.port);
  first.send(
    'GET /seen HTTP/1.1\r\nHost: a\r\nX-List: 1\r\nX-List:2 \r\nAccept:  text/plain\r\nX-Empty:\r\n\r\n',
  );
  const seen = JSON.parse((await second.untilFrame(FrameType.Data, 1)).payload.toString());
  t.deepEqual(JSON.parse((await first.response()).body), seen);
});
