import test from 'ava';
import fc from 'fast-check';
import { OutputBuffers } from '../../runtime/bytes/output-buffers.ts';
import { OutputQueue } from '../../runtime/bytes/output-queue.ts';
import { SendQueue } from '../../runtime/bytes/send-queue.ts';

test('a released buffer is used again, up to maxFree of them', (t) => {
  const buffers = new OutputBuffers(1024, 1);
  const first = buffers.acquire(10);
  const second = buffers.acquire(10);
  t.is(buffers.heldCount, 2);
  buffers.release(first);
  buffers.release(second);
  t.is(buffers.heldCount, 0);
  t.is(buffers.acquire(0), first);
  t.not(buffers.acquire(0), second);
});

test('a buffer larger than the pool’s is allocated when needed, and not kept', (t) => {
  const buffers = new OutputBuffers(1024, 4);
  const large = buffers.acquire(5000);
  t.is(large.buffer.length, 5000);
  buffers.release(large);
  t.is(buffers.acquire(10).buffer.length, 1024);
});

test('releasing a chunk twice throws: two connections must not share a buffer', (t) => {
  const buffers = new OutputBuffers(1024, 4);
  const chunk = buffers.acquire(10);
  buffers.release(chunk);
  t.throws(() => buffers.release(chunk));
});

test('a released chunk still has its length', (t) => {
  const buffers = new OutputBuffers(1024, 4);
  const chunk = buffers.acquire(10);
  chunk.length = 7;
  buffers.release(chunk);
  t.is(chunk.length, 7);
});

test('a queue returns bytes in order, however they are split, and holds no buffer when empty', (t) => {
  const step = fc.record({ push: fc.boolean(), bytes: fc.integer({ min: 0, max: 300 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const buffers = new OutputBuffers(256, 4);
      const queue = new SendQueue(buffers);
      const source = Buffer.alloc(20_000);
      for (let i = 0; i < source.length; i++) source[i] = (i * 31) & 0xff;
      const target = Buffer.alloc(20_000);
      let written = 0;
      let read = 0;
      for (const { push, bytes } of steps) {
        if (push) {
          queue.push(source, written, written + bytes);
          written += bytes;
        } else {
          const count = Math.min(bytes, queue.bytes);
          queue.moveTo(target, read, count);
          read += count;
        }
        if (queue.bytes !== written - read) throw new Error('the queue has lost count');
      }
      if (!target.subarray(0, read).equals(source.subarray(0, read))) throw new Error('bytes out of order');
      queue.clear();
      t.is(buffers.heldCount, 0);
    }),
    { numRuns: 200 },
  );
});

test('a small response takes a small buffer, and hundreds of them leave the large ones alone', (t) => {
  const buffers = new OutputBuffers(65_572, 32, 4_096);
  const first = Array.from({ length: 1_024 }, () => buffers.acquireSmall(300));
  for (const chunk of first) buffers.release(chunk);
  const again = Array.from({ length: 1_024 }, () => buffers.acquireSmall(300));
  t.is(new Set([...first, ...again]).size, 1_024, 'no memory is taken anew');
  t.true(again.every(({ buffer }) => buffer.length === 4_096));
  t.is(buffers.acquireSmall(4_097).buffer.length, 65_572);
});

test('output that outgrows a small buffer continues in a large one, whatever is written', (t) => {
  const write = fc.record({ bytes: fc.integer({ min: 1, max: 700 }), taken: fc.boolean() });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 60 }), (writes) => {
      const buffers = new OutputBuffers(2_048, 4, 256, 4);
      const queue = new OutputQueue(buffers, 12);
      const wanted: number[] = [];
      const got: number[] = [];
      const take = (isLast: boolean) => {
        for (let chunk = queue.take(false, isLast); chunk !== null; chunk = queue.take(false, isLast)) {
          got.push(...chunk.buffer.subarray(0, chunk.length));
          queue.sent(chunk.length);
          buffers.release(chunk);
        }
      };
      for (const { bytes, taken } of writes) {
        const chunk = queue.reserve(bytes);
        for (let i = 0; i < bytes; i++) {
          chunk.buffer[chunk.length + i] = wanted.length & 0xff;
          wanted.push(wanted.length & 0xff);
        }
        queue.commit(chunk, bytes);
        if (queue.unsentBytes !== wanted.length - got.length) throw new Error('the queue has lost count');
        if (taken) take(false);
      }
      take(true);
      t.deepEqual(got, wanted);
      t.is(buffers.heldCount, 0);
    }),
    { numRuns: 200 },
  );
});
