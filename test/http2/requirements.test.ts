/** Requirements of RFC 9113 that fit no other file; docs/conformance.md has the whole list. */
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import test from 'ava';
import { ErrorCode } from '../../runtime/http2/errors.ts';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import { application, startServer } from '../server/harness.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';
import {
  continuation,
  data,
  fieldBlock,
  get,
  getFields,
  goaway,
  headers,
  headersOf,
  ping,
  post,
  postFields,
  preface,
  priority,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
} from './frames.ts';
import { Peer } from './peer.ts';

const large = Buffer.alloc(100_000, 0x61);

test('RFC 9113 section 3.3: "h2c" is never selected in TLS', async (t) => {
  const authority = await TestAuthority.create();
  const files = new TestFiles(t);
  const certificate = files.certificate(
    'c',
    await authority.issue({ subject: 'localhost', names: ['localhost'] }),
  );
  const { port } = await startServer(t, {
    listeners: [{ address: '127.0.0.1:0', tls: { certificates: [certificate] } }],
    pools: { app: { application: application('server', 'messages'), threads: { min: 1, max: 1 } } },
  });
  const options = { port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert };
  const refused = connectTls({ ...options, ALPNProtocols: ['h2c'] });
  t.teardown(() => refused.destroy());
  const [error] = await once(refused, 'error');
  t.is((error as NodeJS.ErrnoException).code, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  const chosen = connectTls({ ...options, ALPNProtocols: ['h2c', 'h2'] });
  t.teardown(() => chosen.destroy());
  await once(chosen, 'secureConnect');
  t.is(chosen.alpnProtocol, 'h2');
});

test('RFC 9113 section 3.4: the client preface may arrive in any pieces, together with the first request', (t) => {
  const bytes = Buffer.concat([preface, settings(), get(1)]);
  for (let cut = 1; cut < bytes.length; cut++) {
    const peer = new Peer();
    peer.send(bytes.subarray(0, cut));
    peer.send(bytes.subarray(cut));
    t.deepEqual(peer.lines, ['request 1 GET / end']);
  }
});

test('RFC 9113 section 4.1: flags that a frame type does not define are ignored', (t) => {
  const peer = Peer.open();
  const withFlags = (bytes: Buffer, flags: number) => {
    bytes[4] |= flags;
    return bytes;
  };
  peer.send(
    withFlags(ping('abcdefgh'), 0xfe),
    withFlags(settings(), 0xfe),
    withFlags(post(1), 0xd2),
    withFlags(windowUpdate(1, 1), 0xff),
    withFlags(priority(1, 0), 0xff),
    withFlags(data(1, 'abc', true), 0xf6),
    withFlags(goaway(0, 0), 0xff),
  );
  t.is(peer.engine.failure, null);
  t.deepEqual(peer.lines, ['request 1 POST /', 'data 1 3 end', 'goaway 0 0']);
  t.deepEqual(peer.output(), ['PING ack abcdefgh', 'SETTINGS ack']);
  peer.send(withFlags(post(3), 0xd2), withFlags(rstStream(3, 8), 0xff));
  t.is(peer.lines.at(-1), 'close 3 peer 8');
});

test('RFC 9113 section 4.1: what the server sends has no undefined flag and no reserved bit', (t) => {
  const peer = new Peer({}, { onRequest: (stream) => peer.engine.respond(stream, 200, ['a', 'b'], false) });
  peer.send(preface, settings(), settingsAck, get(1), post(3), ping());
  peer.engine.write(peer.stream(1), large, 0, 50_000, false);
  peer.engine.trailers(peer.stream(1), ['x', 'y'.repeat(40_000)]);
  peer.engine.reset(peer.stream(3), 8);
  peer.engine.goaway(0, true);
  peer.send(windowUpdate(1, 100), windowUpdate(0, 100));
  const defined: { readonly [type: number]: number } = {
    [FrameType.Data]: Flag.EndStream,
    [FrameType.Headers]: Flag.EndStream | Flag.EndHeaders,
    [FrameType.Settings]: Flag.Ack,
    [FrameType.Ping]: Flag.Ack,
    [FrameType.Continuation]: Flag.EndHeaders,
  };
  const types = new Set<number>();
  for (const { type, flags, id } of peer.take()) {
    types.add(type);
    t.is(flags & ~(defined[type] ?? 0), 0, `type ${type}`);
    t.true(id < 0x8000_0000);
  }
  t.deepEqual(
    [...types].sort((a, b) => a - b),
    [0, 1, 3, 4, 6, 7, 8, 9],
  );
});

test('RFC 9113 section 4.2: a frame of 2^14 octets is accepted', (t) => {
  const peer = Peer.open();
  peer.send(post(1), data(1, large.subarray(0, 16_384)), data(1, large.subarray(0, 16_383), true, 0));
  t.is(peer.contentOf(1).length, 32_767);
  const padded = headersOf(3, fieldBlock([...getFields, 'a', 'x'.repeat(16_000)]), { endStream: true });
  peer.send(padded);
  t.is(peer.lines.at(-1), 'request 3 GET / end');
});

test('RFC 9113 section 4.2: no frame of the server exceeds 2^14 octets, whatever the peer would accept', (t) => {
  const peer = Peer.open({}, {}, SettingId.MaxFrameSize, 0xff_ffff, SettingId.InitialWindowSize, 0x7fff_ffff);
  peer.send(windowUpdate(0, 0x7000_0000), get(1));
  peer.engine.respond(peer.stream(1), 200, ['a', 'x'.repeat(50_000)], false);
  peer.engine.write(peer.stream(1), large, 0, large.length, true);
  for (const { payload } of peer.take()) t.true(payload.length <= 16_384);
});

for (const [rule, ...sent] of [
  ['4.3: PRIORITY inside a field block', headers(3, getFields, { endHeaders: false }), priority(1, 0)],
  [
    '4.3: HEADERS of another stream inside a field block',
    headers(3, getFields, { endHeaders: false }),
    get(5),
  ],
  ['4.3: DATA inside a field block', headers(3, getFields, { endHeaders: false }), data(1, 'x')],
  [
    '4.3: RST_STREAM of its own stream inside a field block',
    headers(3, getFields, { endHeaders: false }),
    rstStream(3, 8),
  ],
  ['5.1: CONTINUATION on an idle stream', continuation(9, fieldBlock(getFields), true)],
  ['5.1: CONTINUATION on a stream that the peer has ended', get(3), continuation(3, Buffer.alloc(0), true)],
  [
    '5.1: CONTINUATION on a stream that the peer has reset',
    rstStream(1, 8),
    continuation(1, Buffer.alloc(0), true),
  ],
  [
    '6.10: CONTINUATION after one with END_HEADERS',
    headers(3, getFields, { endHeaders: false }),
    continuation(3, Buffer.alloc(0), true),
    continuation(3, Buffer.alloc(0), true),
  ],
  ['6.10: CONTINUATION after DATA', data(1, 'x'), continuation(1, Buffer.alloc(0), true)],
] as const) {
  test(`RFC 9113 section ${rule} is a connection error PROTOCOL_ERROR`, (t) => {
    const peer = Peer.open();
    peer.send(post(1));
    peer.send(...sent);
    t.is(peer.engine.failure?.code, ErrorCode.ProtocolError);
  });
}

test('RFC 9113 section 5.1: on a half-closed (remote) stream WINDOW_UPDATE, PRIORITY and RST_STREAM are accepted', (t) => {
  const peer = Peer.open({}, {}, SettingId.InitialWindowSize, 0);
  peer.send(get(1));
  peer.engine.respond(peer.stream(1), 200, [], false);
  peer.engine.write(peer.stream(1), large, 0, 10, false);
  peer.take();
  t.deepEqual(peer.exchange(priority(1, 3), windowUpdate(1, 4)), ['DATA 1 4']);
  t.deepEqual(peer.exchange(rstStream(1, 5), priority(1, 3)), []);
  t.is(peer.lines.at(-1), 'close 1 peer 5');
  t.is(peer.engine.state, 'open');
});

test('RFC 9113 section 5.1: after the peer has reset a stream nothing more is sent on it', (t) => {
  const peer = Peer.open();
  peer.send(post(1));
  peer.engine.respond(peer.stream(1), 200, [], false);
  peer.engine.write(peer.stream(1), large, 0, large.length, true);
  peer.take();
  peer.send(rstStream(1, 8), windowUpdate(0, 100_000), windowUpdate(1, 100_000));
  peer.engine.trailers(peer.stream(1), ['a', 'b']);
  peer.engine.reset(peer.stream(1), 2);
  t.deepEqual(peer.output(), []);
});

test('RFC 9113 section 5.2.1: only DATA is under flow control', (t) => {
  const peer = Peer.open({}, {}, SettingId.InitialWindowSize, 0);
  peer.send(post(1));
  peer.engine.inform(peer.stream(1), 103, ['link', 'x'.repeat(70_000)]);
  peer.engine.respond(peer.stream(1), 200, [], false);
  peer.engine.ping();
  peer.engine.trailers(peer.stream(1), ['a', 'b']);
  t.deepEqual(
    peer.take().map(({ type }) => type),
    [1, 9, 9, 9, 1, 6, 1],
  );
});

test('RFC 9113 section 5.4.2: RST_STREAM is never answered by RST_STREAM', (t) => {
  const peer = Peer.open();
  peer.send(post(1), post(3), post(5));
  peer.engine.reset(peer.stream(3), 8);
  peer.engine.respond(peer.stream(5), 200, [], true);
  peer.send(data(5, '', true));
  peer.take();
  t.deepEqual(peer.exchange(rstStream(1, 0), rstStream(1, 8), rstStream(3, 1), rstStream(5, 3)), []);
  t.is(peer.engine.state, 'open');
});

test('RFC 9113 section 6.5.2: unknown settings are ignored and still acknowledged', (t) => {
  const peer = Peer.open();
  t.deepEqual(peer.exchange(settings(0x0a, 1, 0xff, 0xffff_ffff, 0, 0, 0xffff, 5)), ['SETTINGS ack']);
});

test('RFC 9113 section 6.5.2: a server does not send SETTINGS_ENABLE_PUSH', (t) => {
  const [first] = new Peer({ enableConnectProtocol: true }).take();
  for (let at = 0; at < first.payload.length; at += 6) {
    t.not(first.payload.readUInt16BE(at), SettingId.EnablePush);
  }
});

test('RFC 9113 section 6.5.3: the values of one frame apply in order', (t) => {
  const peer = Peer.open();
  const { InitialWindowSize } = SettingId;
  peer.send(settings(InitialWindowSize, 100, InitialWindowSize, 1), get(1));
  peer.engine.respond(peer.stream(1), 200, [], false);
  peer.engine.write(peer.stream(1), large, 0, 10, false);
  t.deepEqual(peer.output(), ['SETTINGS ack', 'HEADERS 1 :status 200', 'DATA 1 1']);
});

test('RFC 9113 section 6.7: a PING with ACK is not answered', (t) => {
  const peer = Peer.open();
  t.deepEqual(peer.exchange(ping('abcdefgh', true)), []);
  t.is(peer.engine.failure, null);
});

test('RFC 9113 section 6.8: GOAWAY names every stream that an application may have seen', (t) => {
  const peer = Peer.open();
  peer.send(get(1), get(3), post(9));
  t.deepEqual(peer.exchange(data(9, 'x'), data(0, 'x')), ['GOAWAY 9 1']);
});

test('RFC 9113 section 6.9: no update is sent for a stream that is closed', (t) => {
  const peer = Peer.open({ streamWindowBytes: 1000 });
  peer.send(post(1), data(1, large.subarray(0, 900)));
  peer.engine.reset(peer.stream(1), 8);
  peer.engine.consume(peer.stream(1), 900, peer.nowMs);
  t.deepEqual(peer.output(), ['RST_STREAM 1 8']);
});

test('RFC 9113 section 7: unknown error codes have the same scope as known ones', (t) => {
  const peer = Peer.open();
  t.deepEqual(peer.exchange(post(1), post(3), rstStream(1, 0xffff_ffff), goaway(0, 0xabcd_ef01)), []);
  t.deepEqual(peer.lines.slice(2), ['close 1 peer 4294967295', 'goaway 0 2882400001']);
  peer.send(data(3, 'x', true));
  t.is(peer.lines.at(-1), 'data 3 1 end');
});

test('RFC 9113 section 8.7: the application never sees a refused stream', (t) => {
  const peer = Peer.open({ maxConcurrentStreams: 1 });
  t.deepEqual(peer.exchange(post(1), headers(3, postFields), data(3, 'x')), ['RST_STREAM 3 7']);
  t.deepEqual(peer.lines, ['request 1 POST /']);
});
