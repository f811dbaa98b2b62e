/**
 * Requests of a connection that end in the same fields: what the engine remembers of the last one changes
 * nothing.
 */
// Inside a property `assert` is used, not `t`: ava reports its own failures before fast-check can print the seed.
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { HpackEncoder } from '../../runtime/http2/hpack/encoder.ts';
import { Indexing } from '../../runtime/http2/hpack/indexing-policy.ts';
import { headersOf } from './frames.ts';
import { Peer } from './peer.ts';

/**
 * Limits that a head of these tests can reach. A reset after a refusal does not wait for the peer, which
 * never answers.
 */
const LIMITS = { maxFieldListBytes: 420, maxFieldLines: 9, resetDelayMs: 0 };

/** Like browsers: everything goes into the table except the path. */
function clientEncoder(): HpackEncoder {
  return new HpackEncoder({
    maxTableBytes: 4096,
    indexingOf: (name) => (name === ':path' ? Indexing.OnRepeat : Indexing.AtOnce),
  });
}

function block(encoder: HpackEncoder, fields: readonly string[]): Buffer {
  const bytes = Buffer.alloc(encoder.maxEncodedBytes(fields));
  return bytes.subarray(0, encoder.encodeFields(fields, bytes, 0));
}

/** The outcome of a request: what the application would see of it, or what the peer was told. */
function outcome(peer: Peer, id: number): unknown {
  const output = peer.output();
  const stream = peer.streams.get(id);
  if (stream === undefined) return output.map((line) => line.replace(` ${id} `, ' ID '));
  const { method, scheme, authority, path, fields, contentLength, priorityField, urgency } = stream;
  return { method, scheme, authority, path, fields: [...fields], contentLength, priorityField, urgency };
}

const tails: readonly (readonly string[])[] = [
  [],
  ['user-agent', 'one'],
  ['user-agent', 'one', 'cookie', 'a=1', 'cookie', 'b=2'],
  ['user-agent', 'one', 'cookie', 'a=1'],
  ['host', 'example.test', 'accept', '*/*'],
  ['host', 'other.test', 'accept', '*/*'],
  ['priority', 'u=1, i', 'x', 'y'],
  ['content-length', '0'],
  ['content-length', '5'],
  ['te', 'gzip'],
  ['connection', 'close'],
  ['accept', '*/*', ':path', '/'],
  ['x', 'a'.repeat(100), 'y', 'b'.repeat(60)],
  ['a', '1', 'b', '2', 'c', '3', 'd', '4', 'e', '5'],
];
const request = fc.record({
  path: fc.constantFrom('/', '/a', '/b?c', `/${'long'.repeat(20)}`, 'relative'),
  authority: fc.constantFrom('example.test', 'other.test', ''),
  tail: fc.constantFrom(...tails),
  /** What may follow the pseudo-fields of an honest request. */
  unknown: fc.constantFrom<string[]>([], [], [], [':foo', 'x'], [':status', '200']),
  endStream: fc.boolean(),
  /** A table size that the client chooses beforehand. */
  tableBytes: fc.option(fc.constantFrom(0, 60, 200, 4096), { freq: 8 }),
});

test('whatever requests a connection has had, the next one is read as if it were the first', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(request, fc.integer({ min: 1, max: 3 })), { maxLength: 20 }),
      (requests) => {
        const peer = Peer.open(LIMITS);
        const encoder = clientEncoder();
        let id = 1;
        for (const [{ path, authority, tail, unknown, endStream, tableBytes }, times] of requests) {
          const fields = [
            ':method',
            'GET',
            ':scheme',
            'http',
            ':authority',
            authority,
            ':path',
            path,
            ...unknown,
            ...tail,
          ];
          if (tableBytes !== null) encoder.setPeerMaxTableBytes(tableBytes);
          const first = Peer.open(LIMITS);
          first.send(headersOf(1, block(clientEncoder(), fields), { endStream }));
          const expected = outcome(first, 1);
          for (let i = 0; i < times; i++, id += 2) {
            peer.send(headersOf(id, block(encoder, fields), { endStream }));
            assert.deepEqual(outcome(peer, id), expected);
            assert.equal(peer.engine.failure, null);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});

test('fields that a connection repeats are one frozen list, and another connection has its own', (t) => {
  const fields = [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/', 'cookie', 'secret'];
  const [one, other] = [Peer.open(), Peer.open()];
  for (const peer of [one, other]) {
    const encoder = clientEncoder();
    for (let id = 1; id < 9; id += 2) peer.send(headersOf(id, block(encoder, fields), { endStream: true }));
  }
  t.is(one.stream(5).fields, one.stream(7).fields);
  t.true(Object.isFrozen(one.stream(7).fields));
  t.not(one.stream(7).fields, other.stream(7).fields);
});

test('trailers that repeat the fields of a head are read as trailers', (t) => {
  const peer = Peer.open();
  const encoder = clientEncoder();
  const head = [':method', 'POST', ':scheme', 'http', ':authority', 'a', ':path', '/', 'x', 'y'];
  for (let id = 1; id < 7; id += 2) peer.send(headersOf(id, block(encoder, head), { endStream: false }));
  peer.send(headersOf(5, block(encoder, ['x', 'y']), { endStream: true }));
  t.is(peer.lines.at(-1), 'trailers 5 x y');
});

test('an unknown pseudo-field is malformed, also if the fields after it are those of the last request', (t) => {
  const peer = Peer.open(LIMITS);
  const encoder = clientEncoder();
  const known = [':method', 'GET', ':scheme', 'http', ':authority', 'example.test', ':path', '/'];
  const tail = ['user-agent', 'one', 'accept', '*/*'];
  const unknown = [...known, ':foo', 'x', ...tail];
  const outcomes = [known, known, unknown, known, unknown, known].map((fields, index) => {
    const id = 2 * index + 1;
    const all = fields === known ? [...known, ...tail] : fields;
    peer.send(headersOf(id, block(encoder, all), { endStream: true }));
    return peer.streams.has(id);
  });
  t.deepEqual(outcomes, [true, true, false, true, false, true]);
  t.deepEqual(peer.output(), ['RST_STREAM 5 1', 'RST_STREAM 9 1']);
});
