/** One peer's malformed input, live: it is told what the RFC says, and nobody else notices. */
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { application, FileScope, startServer, type TestServer } from '../server/harness.ts';
import { type Answer, connectHttp2, request } from '../server/http2-client.ts';
import {
  data,
  errorCode,
  fieldBlock,
  frame,
  headers,
  RawHttp2,
  requestHead,
  rstStream,
  windowUpdate,
} from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const [PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, COMPRESSION_ERROR, ENHANCE_YOUR_CALM] = [
  1, 3, 6, 9, 11,
];

const scope = new FileScope();
let server: TestServer;
/** An exchange of another connection, open all the while. */
let witness: Promise<Answer>;

test.before(async () => {
  server = await startServer(scope, {
    pools: { staged: { application: application('server', 'staged'), threads: { min: 1, max: 1 } } },
  });
  const session = await connectHttp2(scope, server.origin);
  witness = request(session, { ':path': '/wait', [SIGNALS_FIELD]: server.signals.name });
  await server.signals.until('begun');
});
test.after.always(() => scope.end());

const get = (path: string): Buffer => requestHead('GET', path, { [SIGNALS_FIELD]: server.signals.name });

const connectionErrors: readonly (readonly [title: string, code: number, frames: () => readonly Buffer[]])[] =
  [
    [
      'SETTINGS of five octets (6.5)',
      FRAME_SIZE_ERROR,
      () => [frame(FrameType.Settings, 0, 0, Buffer.alloc(5))],
    ],
    ['a frame above SETTINGS_MAX_FRAME_SIZE (4.2)', FRAME_SIZE_ERROR, () => [data(1, Buffer.alloc(16_385))]],
    ['DATA on stream 0 (6.1)', PROTOCOL_ERROR, () => [data(0, 'x')]],
    ['DATA on an idle stream (5.1)', PROTOCOL_ERROR, () => [data(1, 'x')]],
    ['HEADERS on an even stream (5.1.1)', PROTOCOL_ERROR, () => [headers(2, get('/run?id=wrong'), true)]],
    [
      'a field block that is no HPACK (4.3)',
      COMPRESSION_ERROR,
      () => [headers(1, Buffer.from([0xff, 0xff, 0xff]), true)],
    ],
    [
      'a field block interrupted by another frame (6.10)',
      PROTOCOL_ERROR,
      () => [frame(FrameType.Headers, Flag.EndStream, 1, get('/run?id=wrong')), data(1, 'x')],
    ],
    [
      'CONTINUATION without a field block (6.10)',
      PROTOCOL_ERROR,
      () => [frame(FrameType.Continuation, 0, 1, 'x')],
    ],
    [
      'PUSH_PROMISE from a client (8.4)',
      PROTOCOL_ERROR,
      () => [frame(FrameType.PushPromise, Flag.EndHeaders, 1, Buffer.alloc(8))],
    ],
    ['a connection window above 2^31-1 (6.9.1)', FLOW_CONTROL_ERROR, () => [windowUpdate(0, 0x7fff_ffff)]],
    ['a WINDOW_UPDATE of nothing (6.9)', PROTOCOL_ERROR, () => [windowUpdate(0, 0)]],
  ];

for (const [title, code, frames] of connectionErrors) {
  test(`the connection ends with error ${code} for ${title}`, async (t) => {
    const client = await RawHttp2.connect(t, server.port);
    client.send(...frames());
    const goaway = await client.untilFrame(FrameType.Goaway, 0);
    t.is(errorCode(goaway), code);
    await client.closed;
  });
}

const malformed: readonly (readonly [title: string, frames: () => readonly Buffer[]])[] = [
  [
    'an upper-case field name (8.2.1)',
    () => [headers(1, requestHead('GET', '/run?id=wrong', { 'X-Upper': '1' }), true)],
  ],
  [
    'a line break in a value (8.2.1)',
    () => [headers(1, requestHead('GET', '/run?id=wrong', { a: 'b\r\nc: d' }), true)],
  ],
  [
    'a connection-specific field (8.2.2)',
    () => [headers(1, requestHead('GET', '/run?id=wrong', { connection: 'close' }), true)],
  ],
  [
    'no :path (8.3.1)',
    () => [
      headers(
        1,
        fieldBlock([
          [':method', 'GET'],
          [':scheme', 'http'],
        ]),
        true,
      ),
    ],
  ],
  [
    'a pseudo-field that is unknown (8.3)',
    () => [headers(1, requestHead('GET', '/run?id=wrong', { ':unknown': 'x' }), true)],
  ],
  [
    'more content than content-length says (8.1.1)',
    () => [headers(1, requestHead('POST', '/never', { 'content-length': '3' }), false), data(1, 'four')],
  ],
  [
    'less content than content-length says (8.1.1)',
    () => [
      headers(1, requestHead('POST', '/never', { 'content-length': '5' }), false),
      data(1, 'four', true),
    ],
  ],
];

for (const [title, frames] of malformed) {
  test(`only the stream ends, with PROTOCOL_ERROR, for ${title}`, async (t) => {
    const client = await RawHttp2.connect(t, server.port);
    client.send(...frames(), headers(3, get('/run?id=right'), true));
    t.is(errorCode(await client.untilFrame(FrameType.RstStream, 1)), PROTOCOL_ERROR);
    await client.untilFrame(FrameType.Headers, 3);
    t.is(client.frames.filter(({ type }) => type === FrameType.Goaway).length, 0);
  });
}

test('a client that opens streams only to reset them is sent away with ENHANCE_YOUR_CALM (10.5)', async (t) => {
  const client = await RawHttp2.connect(t, server.port);
  const head = get('/run?id=attack');
  for (let id = 1; id < 4_000; id += 2) client.send(headers(id, head, true), rstStream(id, 8));
  t.is(errorCode(await client.untilFrame(FrameType.Goaway, 0)), ENHANCE_YOUR_CALM);
  await client.closed;
});

for (const [title, text] of [
  ['what is no HTTP at all', '\x16\x03\x01 hello\r\n\r\n'],
  ['an HTTP/1.1 request without Host (RFC 9112 section 3.2)', 'GET /run?id=wrong HTTP/1.1\r\n\r\n'],
  [
    'two ways to say how long a body is (RFC 9112 section 6.1)',
    'POST /run?id=wrong HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
]) {
  test(`the answer is 400 for ${title}`, async (t) => {
    const socket = connect(server.port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.write(text);
    t.regex(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 400 /);
  });
}

test.after(
  'what other connections had open is untouched, and no malformed request reached an application',
  async (t) => {
    t.is(server.signals.heard('ranwrong'), 0);
    server.signals.tell('release');
    const { status, body, how } = await witness;
    t.deepEqual([status, body.toString(), how], [200, 'released', 'whole']);
    t.is(server.log.count('thread died'), 0);
  },
);
