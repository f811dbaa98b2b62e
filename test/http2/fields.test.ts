import test from 'ava';
import { data, headers, post } from './frames.ts';
import { Peer } from './peer.ts';

const method = [':method', 'GET'] as const;
const scheme = [':scheme', 'http'] as const;
const authority = [':authority', 'example.test'] as const;
const path = [':path', '/'] as const;
const valid = [...method, ...scheme, ...authority, ...path];

const malformed: readonly (readonly [rule: string, fields: readonly string[]])[] = [
  ['8.2.1: an upper-case field name', [...valid, 'Accept', 'a']],
  ['8.2.1: an empty field name', [...valid, '', 'a']],
  ['8.2.1: a space in a field name', [...valid, 'a b', 'c']],
  ['8.2.1: a colon in a field name', [...valid, 'a:b', 'c']],
  ['8.2.1: a control character in a field name', [...valid, 'a\x01', 'c']],
  ['8.2.1: DEL in a field name', [...valid, 'a\x7f', 'c']],
  ['8.2.1: a non-ASCII field name', [...valid, 'a\xe9', 'c']],
  ['8.2.1: NUL in a value', [...valid, 'a', 'b\0c']],
  ['8.2.1: CR in a value', [...valid, 'a', 'b\rc']],
  ['8.2.1: LF in a value', [...valid, 'a', 'b\nc']],
  ['8.2.1: CR LF in the value of a well-known field', [...valid, 'user-agent', 'b\r\nx: y']],
  ['8.2.1: a value that begins with a space', [...valid, 'a', ' b']],
  ['8.2.1: a value that ends with a space', [...valid, 'a', 'b ']],
  ['8.2.1: a value that begins with a tab', [...valid, 'a', '\tb']],
  ['8.2.1: a value that ends with a tab', [...valid, 'a', 'b\t']],
  ['RFC 9110 section 5.5: another control in a value', [...valid, 'a', 'b\x01c']],
  ['8.2.2: connection', [...valid, 'connection', 'close']],
  ['8.2.2: proxy-connection', [...valid, 'proxy-connection', 'close']],
  ['8.2.2: keep-alive', [...valid, 'keep-alive', 'timeout=5']],
  ['8.2.2: transfer-encoding', [...valid, 'transfer-encoding', 'chunked']],
  ['8.2.2: upgrade', [...valid, 'upgrade', 'h2c']],
  ['8.2.2: te other than trailers', [...valid, 'te', 'gzip']],
  ['8.2.2: te with more than trailers', [...valid, 'te', 'trailers, gzip']],
  ['8.3: an unknown pseudo-field', [...valid, ':color', 'blue']],
  ['8.3: an unknown pseudo-field in front', [':color', 'blue', ...valid]],
  ['8.3: a response pseudo-field', [...valid, ':status', '200']],
  ['8.3: a pseudo-field after a regular one', [...method, ...scheme, ...authority, 'a', 'b', ...path]],
  ['8.3: :method twice', [...valid, ...method]],
  ['8.3: :scheme twice', [...valid, ...scheme]],
  ['8.3: :authority twice', [...valid, ...authority]],
  ['8.3: :path twice', [...valid, ...path]],
  ['8.3.1: no :method', [...scheme, ...authority, ...path]],
  ['8.3.1: no :scheme', [...method, ...authority, ...path]],
  ['8.3.1: no :path', [...method, ...scheme, ...authority]],
  ['8.3.1: nothing at all', []],
  ['8.3.1: an empty :method', [':method', '', ...scheme, ...authority, ...path]],
  ['8.3.1: a :method that is no token', [':method', 'GE T', ...scheme, ...authority, ...path]],
  ['8.3.1: an empty :scheme', [...method, ':scheme', '', ...authority, ...path]],
  ['8.3.1: a :scheme that is none', [...method, ':scheme', 'http:', ...authority, ...path]],
  ['8.3.1: an empty :path', [...method, ...scheme, ...authority, ':path', '']],
  ['8.3.1: a :path that is not absolute', [...method, ...scheme, ...authority, ':path', 'a']],
  ['8.3.1: an asterisk without OPTIONS', [...method, ...scheme, ...authority, ':path', '*']],
  ['8.3.1: a space in :path', [...method, ...scheme, ...authority, ':path', '/a b']],
  ['8.3.1: CR LF in :path', [...method, ...scheme, ...authority, ':path', '/ HTTP/1.1\r\nx: y']],
  ['8.3.1: a fragment in :path', [...method, ...scheme, ...authority, ':path', '/a#b']],
  ['8.3.1: userinfo in :authority', [...method, ...scheme, ':authority', 'me@example.test', ...path]],
  ['8.3.1: a slash in :authority', [...method, ...scheme, ':authority', 'example.test/a', ...path]],
  ['8.3.1: an empty :authority', [...method, ...scheme, ':authority', '', ...path]],
  [
    '8.3.1: an empty :authority beside a host',
    [...method, ...scheme, ':authority', '', ...path, 'host', 'example.test'],
  ],
  ['8.3.1: an empty :authority of https', [...method, ':scheme', 'https', ':authority', '', ...path]],
  ['8.3.1: an empty host without :authority', [...method, ...scheme, ...path, 'host', '']],
  ['8.3.1: host that differs from :authority', [...valid, 'host', 'other.test']],
  ['RFC 9110 section 7.2: host twice', [...valid, 'host', 'example.test', 'host', 'example.test']],
  ['RFC 9110 section 7.2: an invalid host', [...method, ...scheme, ...path, 'host', 'a b']],
  ['8.5: CONNECT with :path', [':method', 'CONNECT', ...authority, ...path]],
  ['8.5: CONNECT with :scheme', [':method', 'CONNECT', ...scheme, ...authority]],
  ['8.5: CONNECT without :authority', [':method', 'CONNECT']],
  ['8.5: CONNECT with an empty :authority', [':method', 'CONNECT', ':authority', '']],
  [
    'RFC 8441 section 3: :protocol that was not offered',
    [':method', 'CONNECT', ':protocol', 'websocket', ...scheme, ...authority, ...path],
  ],
  ['RFC 9110 section 8.6: content-length that is no number', [...valid, 'content-length', '1a']],
  ['RFC 9110 section 8.6: a negative content-length', [...valid, 'content-length', '-1']],
  ['RFC 9110 section 8.6: an empty content-length', [...valid, 'content-length', '']],
  ['RFC 9110 section 8.6: a content-length beyond counting', [...valid, 'content-length', '9'.repeat(30)]],
  ['RFC 9110 section 8.6: a list in content-length', [...valid, 'content-length', '0, 0']],
  ['RFC 9110 section 8.6: content-length twice', [...valid, 'content-length', '0', 'content-length', '0']],
];

for (const [rule, fields] of malformed) {
  test(`RFC 9113 section ${rule} is malformed: a stream error PROTOCOL_ERROR, never delivered`, (t) => {
    const peer = Peer.open();
    t.deepEqual(peer.exchange(headers(1, fields, { endStream: true })), ['RST_STREAM 1 1']);
    t.deepEqual(peer.lines, []);
    t.is(peer.engine.counters.malformed, 1);
    // Data sent right after it is dropped without harm, and the next request is served.
    peer.send(headers(3, fields, {}), data(3, 'x'), headers(5, valid, { endStream: true }));
    t.is(peer.engine.state, 'open');
    t.is(peer.lines.length, 1);
  });
}

function accept(fields: readonly string[]): Peer {
  const peer = Peer.open({ enableConnectProtocol: true });
  peer.send(headers(1, fields, {}));
  return peer;
}

test('RFC 9113 section 8.3.1: a valid head is delivered as it was sent, without pseudo-fields', (t) => {
  const peer = accept([...valid, 'b', '1', 'a', '2', 'b', '3', 'te', 'trailers', 'content-length', '12']);
  const stream = peer.stream(1);
  t.deepEqual(
    [stream.method, stream.scheme, stream.authority, stream.path, stream.protocol, stream.contentLength],
    ['GET', 'http', 'example.test', '/', '', 12],
  );
  t.deepEqual(stream.fields, ['b', '1', 'a', '2', 'b', '3', 'te', 'trailers', 'content-length', '12']);
});

test('RFC 9113 section 8.2.1: tabs inside, empty values and obs-text are valid', (t) => {
  t.deepEqual(accept([...valid, 'a', 'b\tc', 'd', '', 'e', '\xe9']).stream(1).fields, [
    'a',
    'b\tc',
    'd',
    '',
    'e',
    '\xe9',
  ]);
});

test('RFC 9113 section 8.3.1: OPTIONS may ask for the asterisk', (t) => {
  t.is(accept([':method', 'OPTIONS', ...scheme, ...authority, ':path', '*']).stream(1).path, '*');
});

test('RFC 9113 section 8.3.1: without :authority the host field is used', (t) => {
  t.is(accept([...method, ...scheme, ...path, 'host', 'h.test:1']).stream(1).authority, 'h.test:1');
  t.is(accept([...method, ...scheme, ...path]).stream(1).authority, '');
  // The authority may be empty for other schemes.
  t.is(accept([...method, ':scheme', 'x', ':authority', '', ...path]).stream(1).authority, '');
});

test('RFC 9113 section 8.3.1: host may repeat :authority in another case', (t) => {
  const stream = accept([...valid, 'host', 'EXAMPLE.test']).stream(1);
  t.is(stream.authority, 'example.test');
});

test('RFC 9113 section 8.3.1: the value of host appears only in the authority', (t) => {
  for (const lines of [
    [...valid, 'host', 'example.test', 'a', '1', 'cookie', 'b', 'cookie', 'c'],
    [...valid, 'a', '1', 'cookie', 'b', 'host', 'EXAMPLE.test', 'cookie', 'c'],
    [...method, ...scheme, ...path, 'a', '1', 'cookie', 'b', 'cookie', 'c', 'host', 'example.test'],
  ]) {
    const { authority, fields } = accept(lines).stream(1);
    t.deepEqual([authority, ...fields], ['example.test', 'a', '1', 'cookie', 'b; c']);
  }
});

test('RFC 9113 section 8.2.3: cookie crumbs are joined where the first one was', (t) => {
  const stream = accept([
    ...valid,
    'x',
    '1',
    'cookie',
    'a=b',
    'y',
    '2',
    'cookie',
    'c=d',
    'cookie',
    'e=f',
  ]).stream(1);
  t.deepEqual(stream.fields, ['x', '1', 'cookie', 'a=b; c=d; e=f', 'y', '2']);
});

test('RFC 9113 section 8.5: CONNECT has a :method and an :authority', (t) => {
  const stream = accept([':method', 'CONNECT', ':authority', 'h.test:443']).stream(1);
  t.deepEqual(
    [stream.method, stream.authority, stream.scheme, stream.path],
    ['CONNECT', 'h.test:443', '', ''],
  );
});

test('RFC 9113 section 8.5: a tunnel ends in DATA, not in trailers', (t) => {
  const peer = accept([':method', 'CONNECT', ':authority', 'h.test:443']);
  peer.take();
  t.deepEqual(peer.exchange(headers(1, ['a', 'b'], { endStream: true })), ['RST_STREAM 1 1']);
});

test('RFC 8441 section 4: extended CONNECT has :protocol, :scheme, :path and :authority, if the server offers it', (t) => {
  const fields = [':method', 'CONNECT', ':protocol', 'websocket', ...scheme, ...authority, ':path', '/chat'];
  const stream = accept(fields).stream(1);
  t.deepEqual([stream.method, stream.protocol, stream.path], ['CONNECT', 'websocket', '/chat']);
  const offer = new Peer({ enableConnectProtocol: true }).output()[0];
  t.true(offer.includes('000800000001'));
  for (const broken of [
    [':method', 'GET', ...fields.slice(2)],
    fields.slice(0, 8),
    [':method', 'CONNECT', ':protocol', 'websocket', ...scheme, ...path],
    [':method', 'CONNECT', ':protocol', '', ...scheme, ...authority, ...path],
  ]) {
    const peer = accept(broken);
    t.deepEqual(peer.lines, [], broken.join(' '));
  }
});

test('RFC 9113 section 8.1.1: content-length of a request that ends with its head is malformed unless it is 0', (t) => {
  const peer = Peer.open();
  const length = (value: string) => [...valid, 'content-length', value];
  t.deepEqual(peer.exchange(headers(1, length('1'), { endStream: true })), ['RST_STREAM 1 1']);
  t.deepEqual(peer.exchange(headers(3, length('0'), { endStream: true })), []);
  t.deepEqual(peer.lines, ['request 3 GET / end']);
});

test('RFC 9113 section 8.1.1: DATA beyond content-length is malformed and not delivered', (t) => {
  const peer = Peer.open();
  t.deepEqual(peer.exchange(post(1, 'content-length', '4'), data(1, 'abc'), data(1, 'de')), [
    'RST_STREAM 1 1',
  ]);
  t.deepEqual(peer.lines, ['request 1 POST /', 'data 1 3', 'close 1 engine 1']);
});

test('RFC 9113 section 8.1.1: DATA that ends short of content-length is malformed', (t) => {
  const peer = Peer.open();
  t.deepEqual(peer.exchange(post(1, 'content-length', '4'), data(1, 'abc', true)), ['RST_STREAM 1 1']);
  t.deepEqual(peer.lines, ['request 1 POST /', 'close 1 engine 1']);
});

test('RFC 9113 section 8.1.1: trailers that end short of content-length are malformed', (t) => {
  const peer = Peer.open();
  peer.send(post(1, 'content-length', '4'), data(1, 'abc'), headers(1, ['a', 'b'], { endStream: true }));
  t.deepEqual(peer.lines.at(-1), 'close 1 engine 1');
});

test('RFC 9113 section 8.1.1: DATA that adds up to content-length is delivered, padding not counted', (t) => {
  const peer = Peer.open();
  peer.send(post(1, 'content-length', '4'), data(1, 'abc', false, 9), data(1, ''), data(1, 'd', true));
  t.is(peer.contentOf(1), 'abcd');
  t.is(peer.lines.at(-1), 'data 1 1 end');
});

test('RFC 9113 section 8.1: trailers end the request', (t) => {
  const peer = Peer.open();
  peer.send(post(1), data(1, 'abc'), headers(1, ['a', 'b', 'c', 'd'], { endStream: true }));
  t.deepEqual(peer.lines, ['request 1 POST /', 'data 1 3', 'trailers 1 a b c d']);
});

for (const [rule, fields] of [
  ['8.1: a pseudo-field', [':path', '/']],
  ['8.2.1: an upper-case name', ['A', 'b']],
  ['8.2.1: LF in a value', ['a', 'b\n']],
  ['8.2.2: a connection-specific field', ['connection', 'close']],
] as const) {
  test(`RFC 9113 section ${rule} in trailers is malformed`, (t) => {
    const peer = Peer.open();
    t.deepEqual(peer.exchange(post(1), headers(1, fields, { endStream: true })), ['RST_STREAM 1 1']);
    t.deepEqual(peer.lines, ['request 1 POST /', 'close 1 engine 1']);
  });
}

test('maxFieldListBytes: RFC 9113 section 10.5.1: a larger request is answered 431, and HPACK stays in step', (t) => {
  const peer = Peer.open({ maxFieldListBytes: 400, resetDelayMs: 0 });
  const large = ['x', 'y'.repeat(400)];
  t.deepEqual(peer.exchange(headers(1, [...valid, ...large], { endStream: true })), [
    'HEADERS 1 end :status 431 content-length 0',
  ]);
  t.deepEqual(
    peer.exchange(headers(3, [...valid, ...large]), data(3, 'on its way', true)),
    ['HEADERS 3 end :status 431 content-length 0', 'RST_STREAM 3 0'],
    'the rest of the request is not wanted',
  );
  t.deepEqual(peer.lines, []);
  t.is(peer.engine.counters.fieldsTooLarge, 2);
  peer.send(headers(5, valid, { endStream: true }));
  t.deepEqual(peer.lines, ['request 5 GET / end']);
});

test('maxFieldLines: a request with more lines is answered 431', (t) => {
  const peer = Peer.open({ maxFieldLines: 6 });
  const more = (count: number) => Array.from({ length: count }, () => ['a', 'b']).flat();
  t.deepEqual(peer.exchange(headers(1, [...valid, ...more(2)], { endStream: true })), []);
  t.deepEqual(peer.exchange(headers(3, [...valid, ...more(3)], { endStream: true })), [
    'HEADERS 3 end :status 431 content-length 0',
  ]);
});

test('maxFieldListBytes: trailers beyond it are a stream error', (t) => {
  const peer = Peer.open({ maxFieldListBytes: 400 });
  peer.send(post(1), headers(1, ['x', 'y'.repeat(400)], { endStream: true }));
  t.deepEqual(peer.lines, ['request 1 POST /', 'close 1 engine 11']);
});
