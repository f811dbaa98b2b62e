import test from 'ava';
import fc from 'fast-check';
import { ByteQueue } from '../../runtime/exchange/byte-queue.ts';

test('a queue that is new or emptied has no bytes', (t) => {
  const queue = new ByteQueue();
  t.is(queue.length, 0);
  t.is(queue.peek(10).length, 0);
  queue.push(Buffer.from('ab'), 0, 2);
  queue.skip(2);
  t.is(queue.length, 0);
  t.is(queue.peek(10).length, 0);
  queue.push(Buffer.from('ab'), 0, 0);
  t.is(queue.peek(10).length, 0);
});

test('what was pushed is a copy of the range that was named', (t) => {
  const queue = new ByteQueue();
  const bytes = Buffer.from('..abc..');
  queue.push(bytes, 2, 5);
  bytes.fill(0);
  t.is(queue.peek(10).toString(), 'abc');
  t.is(queue.peek(2).toString(), 'ab');
});

test('clear forgets everything', (t) => {
  const queue = new ByteQueue();
  for (let i = 0; i < 3; i++) queue.push(Buffer.alloc(5000, i), 0, 5000);
  queue.skip(10);
  queue.clear();
  t.is(queue.length, 0);
  queue.push(Buffer.from('x'), 0, 1);
  t.is(queue.peek(5000).toString(), 'x');
});

test('small pieces share a block', (t) => {
  const queue = new ByteQueue();
  for (let i = 0; i < 4096; i++) queue.push(Buffer.from([i & 0xff]), 0, 1);
  t.is(queue.peek(1e9).length, 4096);
});

test('property: the queue gives what a plain list of bytes would give', (t) => {
  const size = fc.oneof(fc.nat({ max: 20 }), fc.constantFrom(4095, 4096, 4097, 10_000));
  const step = fc.record({ push: size, limit: size, part: fc.double({ min: 0, max: 1, noNaN: true }) });
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new ByteQueue();
        let model = Buffer.alloc(0);
        let next = 0;
        for (const { push, limit, part } of steps) {
          const bytes = Buffer.alloc(push + 3);
          for (let i = 0; i < push; i++) bytes[i + 1] = next++ * 7;
          queue.push(bytes, 1, push + 1);
          model = Buffer.concat([model, bytes.subarray(1, push + 1)]);
          if (queue.length !== model.length) return false;
          const piece = queue.peek(limit);
          if (piece.length > limit || !model.subarray(0, piece.length).equals(piece)) return false;
          if (piece.length === 0 && limit > 0 && model.length > 0) return false;
          const skipped = Math.floor(piece.length * part);
          if (model.length > 0) queue.skip(skipped);
          model = model.subarray(skipped);
        }
        while (model.length > 0) {
          const piece = queue.peek(1000);
          if (piece.length === 0 || !model.subarray(0, piece.length).equals(piece)) return false;
          queue.skip(piece.length);
          model = model.subarray(piece.length);
        }
        return queue.length === 0;
      }),
      { includeErrorInReport: true },
    ),
  );
});

test('a waiting upload uses reusable blocks, whether it arrives in frames or in whole reads', (t) => {
  for (const bytes of [16_384, 65_536, 98_304]) {
    const source = Buffer.alloc(bytes, bytes & 0xff);
    const memories = new Set<ArrayBufferLike>();
    for (let n = 0; n < 50; n++) {
      const queue = new ByteQueue();
      queue.push(source, 0, bytes);
      let taken = 0;
      for (let piece = queue.peek(bytes); piece.length > 0; piece = queue.peek(bytes)) {
        t.true(piece.every((byte) => byte === (bytes & 0xff)));
        memories.add(piece.buffer);
        taken += piece.length;
        queue.skip(piece.length);
      }
      t.is(taken, bytes);
    }
    t.true(memories.size <= 4, `${bytes} bytes took ${memories.size} blocks`);
  }
});
