import { Writable } from 'node:stream';
import test from 'ava';
import { BoundedOutput } from '../../runtime/logging/bounded-output.ts';

/** A standard stream: errors leave it as it was, and it takes what it is given when `take` is called, or at once. */
class Stream {
  readonly taken: string[] = [];
  error: Error | null = null;
  stalls = false;
  #held: (() => void)[] = [];
  tries = 0;

  readonly writable = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      this.tries++;
      const take = (): void => {
        if (this.error === null && String(chunk) !== '') this.taken.push(String(chunk));
        done(this.error);
      };
      if (this.stalls) this.#held.push(take);
      else take();
    },
  });

  /** As the process's own streams do, it forgets its error. */
  constructor() {
    this.writable._destroy = (error, done) => {
      done(error);
      (this.writable as unknown as { _undestroy(): void })._undestroy();
    };
  }

  take(): void {
    for (const take of this.#held.splice(0)) take();
  }
}

function create(maxWaitingBytes = 100) {
  const stream = new Stream();
  const dropped: number[] = [];
  const clock = { nowMs: 0 };
  const output = new BoundedOutput(
    stream.writable,
    maxWaitingBytes,
    (writes) => dropped.push(writes),
    () => clock.nowMs,
  );
  const flushed = () => new Promise<void>((resolve) => output.flush(resolve));
  return { stream, output, dropped, clock, flushed };
}

test('output that a stream does not take waits up to the limit; more is dropped, and counted when writing continues', async (t) => {
  const { stream, output, dropped, flushed } = create(100);
  stream.stalls = true;
  for (let i = 0; i < 12; i++) output.write('0123456789');
  t.is(stream.writable.writableLength, 100);
  t.deepEqual(dropped, []);
  stream.stalls = false;
  stream.take();
  await flushed();
  t.is(stream.taken.join(''), '0123456789'.repeat(10));
  t.deepEqual(dropped, [2]);
});

test('a write that is larger than the limit is dropped and counted, whether other output waits or not', async (t) => {
  const { stream, output, dropped, flushed } = create(100);
  const large = 'x'.repeat(101);
  output.write(large);
  t.is(stream.writable.writableLength, 0);
  await flushed();
  t.deepEqual(dropped, [1]);
  stream.stalls = true;
  output.write('first');
  output.write(large);
  t.is(stream.writable.writableLength, 5);
  stream.stalls = false;
  stream.take();
  await flushed();
  t.deepEqual(stream.taken, ['first']);
  t.deepEqual(dropped, [1, 1]);
});

test('waiting output is counted in bytes, not characters', async (t) => {
  const { stream, output, dropped, flushed } = create(100_000);
  stream.stalls = true;
  const line = '\u6f22'.repeat(1_000);
  for (let i = 0; i < 100; i++) output.write(line);
  t.is(stream.writable.writableLength, 1_000 + 33 * 3_000, 'the first is a string');
  stream.stalls = false;
  stream.take();
  await flushed();
  t.is(stream.taken.join(''), line.repeat(34));
  t.deepEqual(dropped, [66]);
  output.write('\u6f22'.repeat(40_000));
  await flushed();
  t.deepEqual(dropped, [66, 1], 'of one string as well');
});

test('a slow reader is reported once for each half of the limit', (t) => {
  const { stream, output, dropped } = create(100);
  stream.stalls = true;
  for (let round = 0; round < 100; round++) {
    output.write('0123456789');
    output.write('0123456789');
    stream.take();
  }
  t.true(dropped.length <= 1_000 / 50);
});

test('a stream that fails is tried again after a second, on a line of its own, and the loss is counted', async (t) => {
  const { stream, output, dropped, clock, flushed } = create();
  stream.error = new Error('ENOSPC');
  output.write('a\n');
  await flushed();
  const { tries } = stream;
  for (clock.nowMs = 1; clock.nowMs < 1_000; clock.nowMs++) output.write('b\n');
  t.is(stream.tries, tries, 'not before');
  clock.nowMs = 1_000;
  output.write('c\n');
  output.write('d\n');
  await flushed();
  t.deepEqual(dropped, []);
  stream.error = null;
  clock.nowMs = 2_000;
  output.write('e\n');
  await flushed();
  output.write('f\n');
  await flushed();
  t.is(stream.taken.join(''), '\ne\nf\n');
  t.deepEqual(dropped, [1 + 999 + 2]);
});

test('writes that were waiting when the stream failed are counted, each', async (t) => {
  const { stream, output, dropped, clock, flushed } = create();
  stream.stalls = true;
  for (let i = 0; i < 5; i++) output.write('a\n');
  stream.error = new Error('EPIPE');
  stream.stalls = false;
  stream.take();
  await flushed();
  stream.error = null;
  clock.nowMs = 10_000;
  output.write('b\n');
  await flushed();
  t.deepEqual(dropped, [5]);
});

test('a flush is over when the stream fails', async (t) => {
  const { stream, output, flushed } = create();
  stream.error = new Error('EPIPE');
  output.write('a');
  await flushed();
  t.pass();
});
