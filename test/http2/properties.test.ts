import test from 'ava';
import fc from 'fast-check';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import {
  continuation,
  data,
  fieldBlock,
  frame,
  get,
  getFields,
  goaway,
  headers,
  headersOf,
  ping,
  post,
  preface,
  priority,
  rstStream,
  settings,
  settingsAck,
  uint32,
  windowUpdate,
} from './frames.ts';
import { Peer } from './peer.ts';

const ids = fc.integer({ min: 0, max: 9 });
const anyFrame = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 6 }).map((n) => get(2 * n + 1)) },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 0, max: 6 }).map((n) => post(2 * n + 1, 'content-length', '20')),
  },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 6 }).map((n) => post(2 * n + 1)) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(ids, fc.uint8Array({ maxLength: 60 }), fc.boolean(), fc.option(fc.integer({ min: 0, max: 70 })))
      .map(([id, bytes, end, pad]) => data(id, bytes, end, pad ?? undefined)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(ids, fc.boolean(), fc.integer({ min: 0, max: 40 })).map(([id, end, cut]) => {
      const block = fieldBlock([...getFields, 'a', 'b']);
      return Buffer.concat([
        headersOf(id, block.subarray(0, cut), { endStream: end, endHeaders: false, padBytes: 3 }),
        continuation(id, block.subarray(cut), true),
      ]);
    }),
  },
  ids.map((id) => headers(id, ['x', 'y'], { endStream: true })),
  fc.tuple(ids, fc.integer({ min: 0, max: 13 })).map(([id, code]) => rstStream(id, code)),
  fc.tuple(ids, fc.integer({ min: 0, max: 100_000 })).map(([id, n]) => windowUpdate(id, n)),
  fc.tuple(ids, ids).map(([id, on]) => priority(id, on)),
  fc.tuple(fc.integer({ min: 0, max: 10 }), fc.nat()).map(([id, value]) => settings(id, value)),
  fc.constant(settingsAck),
  fc.boolean().map((ack) => ping('12345678', ack)),
  ids.map((id) => goaway(id, 0)),
  fc
    .tuple(
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 0, max: 255 }),
      ids,
      fc.uint8Array({ maxLength: 40 }),
    )
    .map(([type, flags, id, payload]) => frame(type, flags, id, payload)),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
);

/** A whole conversation by the peer, valid, invalid or random. */
const conversation = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    fc.array(anyFrame, { maxLength: 30 }),
  )
  .map(([polite, frames]) => Buffer.concat(polite ? [preface, settings(), ...frames] : [preface, ...frames]));

/** The outcome of a run, in whatever pieces the content arrived. */
function outcome(peer: Peer): unknown {
  const lines: string[] = [];
  for (const line of peer.lines) {
    const [, id, , end] = line.split(' ');
    if (!line.startsWith('data ')) lines.push(line);
    else if (end !== undefined) lines.push(`data ${id} end`);
  }
  return {
    lines,
    content: [...peer.content]
      .filter(([, pieces]) => pieces.some((piece) => piece.length > 0))
      .map(([id]) => [id, peer.contentOf(id)]),
    failure: peer.engine.failure?.reason,
    state: peer.engine.state,
    counters: JSON.stringify(peer.engine.counters),
    output: peer.output().join('\n'),
  };
}

function echo(): Peer {
  const peer: Peer = new Peer(
    { maxConcurrentStreams: 3, streamWindowBytes: 200 },
    {
      onRequest: (stream, endStream) => {
        if (stream.id !== 5) peer.engine.respond(stream, 200, ['a', 'b'], endStream);
      },
      onTrailers: (stream) => {
        if (stream.id !== 5) peer.engine.trailers(stream, ['c', 'd']);
      },
    },
  );
  return peer;
}

test('any bytes, however they are cut, give the same events, failure and responses, and never throw', (t) => {
  fc.assert(
    fc.property(
      conversation,
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }),
      (bytes, cuts) => {
        const whole = echo();
        whole.send(bytes);
        const pieces = echo();
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const end = Math.min(bytes.length, at + cuts[turn % cuts.length]);
          pieces.send(bytes.subarray(at, end));
          at = end;
        }
        t.deepEqual(outcome(pieces), outcome(whole));
      },
    ),
    { numRuns: 1500 },
  );
});

test('any bytes at all never throw, and each announced stream is closed exactly once', (t) => {
  fc.assert(
    fc.property(conversation, fc.integer({ min: 0, max: 400 }), fc.nat(255), (bytes, at, value) => {
      // Flips a byte somewhere after the preface.
      const position = preface.length + at;
      if (position < bytes.length) bytes[position] = value;
      const peer = echo();
      peer.send(bytes);
      peer.take();
      peer.engine.tick(peer.nowMs + 5000);
      peer.engine.closed();
      const opened = peer.lines
        .filter((line) => line.startsWith('request'))
        .map((line) => line.split(' ')[1]);
      const closed = peer.lines.filter((line) => line.startsWith('close')).map((line) => line.split(' ')[1]);
      t.deepEqual([...closed].sort(), [...opened].sort());
      // No event follows a stream's close.
      for (const id of closed) {
        const last = peer.lines.findLast((line) => line.split(' ')[1] === id && !line.startsWith('goaway'));
        t.true(last?.startsWith('close'));
      }
      t.is(peer.buffers.heldCount, 0);
      t.is(peer.engine.streamCount, 0);
    }),
    { numRuns: 1500 },
  );
});

test('a frame that arrives byte by byte is read as if it had arrived at once', (t) => {
  const peer = Peer.open();
  const bytes = Buffer.concat([
    headers(1, [':method', 'POST', ...getFields.slice(2), 'x', 'y'.repeat(3000)]),
    data(1, 'hello', true, 20),
    frame(FrameType.Goaway, 0, 0, Buffer.concat([uint32(0, 0), Buffer.alloc(1000)])),
    frame(FrameType.Headers, Flag.EndHeaders | Flag.EndStream, 3, fieldBlock(getFields)),
  ]);
  for (const byte of bytes) peer.send(Buffer.from([byte]));
  t.is(peer.contentOf(1), 'hello');
  t.deepEqual(
    peer.lines.filter((line) => !line.startsWith('data')),
    ['request 1 POST /', 'goaway 0 0', 'request 3 GET / end'],
  );
});
