import test from 'ava';
import fc from 'fast-check';
import { hardwareAtomics } from '../../wire/atomics.ts';
import { WireError } from '../../wire/errors.ts';
import {
  COMMITTED_POSITION,
  MAX_CAPACITY_BYTES,
  maxMessageLength,
  READ_POSITION,
  RECORDS_INDEX,
  ROOM_WANTED,
  recordSize,
  SLEEPING,
  WRITE_POSITION,
} from '../../wire/layout.ts';
import { allocateRing, CORRUPT, EMPTY, FULL, RingConsumer, RingProducer } from '../../wire/ring.ts';
import { stepped } from './interleaving/peer.ts';

/** A ring whose positions are at `position`, as after that many bytes. */
function ringAt(capacity: number, position = 0, producersAtomics = hardwareAtomics) {
  const memory = allocateRing(capacity);
  const words = new Int32Array(memory);
  words[WRITE_POSITION] = position;
  words[READ_POSITION] = position;
  const producer = new RingProducer(memory, producersAtomics);
  const consumer = new RingConsumer(memory, hardwareAtomics);
  return { words, producer, consumer };
}

function write(producer: RingProducer, text: string): boolean {
  const offset = producer.claim(text.length);
  if (offset === FULL) return false;
  producer.bytes.write(text, offset, 'latin1');
  producer.commit(text.length);
  return true;
}

function read(consumer: RingConsumer): string | number {
  const offset = consumer.next();
  return offset < 0 ? offset : consumer.bytes.toString('latin1', offset, offset + consumer.length);
}

test('a batch becomes visible as a whole when it is published and not before', (t) => {
  const { producer, consumer } = ringAt(256);
  t.true(write(producer, 'one'));
  t.true(write(producer, 'two'));
  t.is(read(consumer), EMPTY);
  t.is(producer.pendingBytes, 16);
  producer.publish();
  t.is(producer.pendingBytes, 0);
  t.deepEqual([read(consumer), read(consumer), read(consumer)], ['one', 'two', EMPTY]);
});

test('exposed records are found once, and only by a look-ahead', (t) => {
  for (const position of [0, 200, 0x7fffff80 | 0, -128]) {
    const { producer, consumer, words } = ringAt(256, position);
    words[COMMITTED_POSITION] = position;
    const write60 = (text: string) => {
      t.true(write(producer, text.padEnd(60, '.')));
      producer.expose();
    };
    consumer.lookAhead();
    t.is(read(consumer), EMPTY, 'the ring is empty');
    write60('one');
    t.is(read(consumer), EMPTY, 'it is not published');
    consumer.lookAhead();
    write60('two');
    t.is(read(consumer), 'one'.padEnd(60, '.'));
    t.is(read(consumer), EMPTY, 'the record was committed after the look-ahead');
    consumer.release();
    t.true(consumer.sleep(), 'everything published has been read');
    t.true(producer.publish(), 'a sleeping consumer must be rung');
    write60('three');
    consumer.lookAhead();
    t.is(read(consumer), 'two'.padEnd(60, '.'));
    t.is(read(consumer), 'three'.padEnd(60, '.'));
    consumer.lookAhead();
    t.is(read(consumer), EMPTY);
    consumer.release();
    producer.publish();
    consumer.lookAhead();
    t.is(read(consumer), EMPTY, 'the record was read before it was published');
  }
});

test('an impossible committed position is not followed out of the ring', (t) => {
  for (const wild of [257, 1 << 20, -8, 0x7fffffff, -0x80000000]) {
    const { producer, consumer, words } = ringAt(256);
    words[COMMITTED_POSITION] = wild;
    consumer.lookAhead();
    t.is(read(consumer), EMPTY);
    write(producer, 'one');
    producer.publish();
    t.is(read(consumer), 'one');
  }
  const { consumer, words } = ringAt(256);
  words[COMMITTED_POSITION] = 8;
  consumer.lookAhead();
  t.is(read(consumer), CORRUPT, 'there is no record at that position');
});

test('a write position behind the read position is corrupt, unless the records were read ahead', (t) => {
  const { producer, consumer, words } = ringAt(256);
  write(producer, 'one');
  write(producer, 'two');
  producer.publish();
  t.deepEqual([read(consumer), read(consumer)], ['one', 'two']);
  words[WRITE_POSITION] = 8;
  t.is(read(consumer), CORRUPT);
});

test('a record that does not fit before the end is written whole at the start, after padding', (t) => {
  const { producer, consumer, words } = ringAt(64, 40);
  t.true(write(producer, 'x'.repeat(28)));
  producer.publish();
  t.is(words[RECORDS_INDEX + 10], -24, 'the padding names its own size');
  t.is(words[RECORDS_INDEX], 28);
  t.is(read(consumer), 'x'.repeat(28));
  t.is(consumer.held, 56, 'the padding is released with the record');
});

test('a record that ends exactly at the end needs no padding', (t) => {
  const { producer, consumer } = ringAt(64, 40);
  t.true(write(producer, 'x'.repeat(20)));
  t.true(write(producer, 'y'));
  producer.publish();
  t.deepEqual([read(consumer), read(consumer)], ['x'.repeat(20), 'y']);
  t.is(consumer.held, 32);
});

test('a full ring is a return value, and release frees room while reading does not', (t) => {
  const { producer, consumer } = ringAt(64);
  for (let i = 0; i < 4; i++) t.true(write(producer, 'twelve bytes'));
  t.false(write(producer, 'more'));
  producer.publish();
  t.is(read(consumer), 'twelve bytes');
  t.false(write(producer, 'more'));
  consumer.release();
  t.true(write(producer, 'more'));
});

test('a claim may commit less than it claimed, and the next claim gets the rest', (t) => {
  const { producer, consumer } = ringAt(64);
  for (let i = 0; i < 6; i++) {
    const offset = producer.claim(20);
    t.true(offset > 0);
    producer.bytes[offset] = 65 + i;
    producer.commit(1);
  }
  producer.publish();
  t.is(read(consumer), 'A');
  t.is(consumer.held, 8);
});

test('an aborted claim sends nothing and frees its room, also at the wrap', (t) => {
  for (const position of [0, 56]) {
    const { producer, consumer } = ringAt(64, position);
    t.true(producer.claim(20) > 0);
    producer.abort();
    producer.publish();
    t.is(read(consumer), EMPTY);
    consumer.release();
    for (let i = 0; i < 2; i++) t.true(write(producer, 'x'.repeat(20)));
    producer.publish();
    t.is(read(consumer), 'x'.repeat(20));
  }
});

test('the longest message fits into an empty ring at any position', (t) => {
  for (let position = 0; position < 128; position += 8) {
    const { producer, consumer } = ringAt(128, position);
    const text = 'x'.repeat(producer.maxLength);
    t.true(write(producer, text), `at ${position}`);
    producer.publish();
    t.is(read(consumer), text);
  }
});

test('a message too long for an empty ring is an error that names both lengths', (t) => {
  const { producer } = ringAt(128);
  const error = t.throws(() => producer.claim(maxMessageLength(128) + 1), { instanceOf: WireError });
  t.is(error?.code, 'SLUICE_RECORD_TOO_LARGE');
  t.is(error?.message, 'message: expected at most 60 bytes for a ring of 128, got 61');
});

test('claims and commits out of order throw', (t) => {
  const { producer } = ringAt(128);
  t.is(t.throws(() => producer.commit(1), { instanceOf: WireError })?.code, 'SLUICE_WIRE_MISUSE');
  producer.claim(8);
  t.is(t.throws(() => producer.claim(8), { instanceOf: WireError })?.code, 'SLUICE_WIRE_MISUSE');
  t.is(t.throws(() => producer.commit(9), { instanceOf: WireError })?.code, 'SLUICE_WIRE_MISUSE');
  t.is(t.throws(() => producer.commit(0), { instanceOf: WireError })?.code, 'SLUICE_WIRE_MISUSE');
  producer.commit(8);
});

test('a capacity that is no power of two or out of range is refused', (t) => {
  for (const capacity of [0, 32, 100, -64, 2 ** 31, Number.NaN, 64.5]) {
    const error = t.throws(() => allocateRing(capacity), { instanceOf: WireError });
    t.is(error?.code, 'SLUICE_WIRE_OPTION_INVALID', String(capacity));
  }
  t.is(MAX_CAPACITY_BYTES, 2 ** 30);
});

test('the ring still works when positions wrap past 2^31 and 2^32', (t) => {
  for (const position of [0x7fffffc0 | 0, 0xffffffc0 | 0]) {
    const { producer, consumer, words } = ringAt(64, position);
    for (let i = 0; i < 40; i++) {
      t.true(write(producer, `record ${i}`), `record ${i}`);
      if (i % 3 === 0) t.true(write(producer, 'and another one'));
      producer.publish();
      t.is(read(consumer), `record ${i}`);
      if (i % 3 === 0) t.is(read(consumer), 'and another one');
      t.is(read(consumer), EMPTY);
      consumer.release();
    }
    t.true(words[WRITE_POSITION] > position !== position > 0, 'the sign has changed');
    t.is(words[READ_POSITION], words[WRITE_POSITION]);
  }
});

test('publish reports a sleeping consumer once per sleep', (t) => {
  const { producer, consumer, words } = ringAt(64);
  write(producer, 'a');
  t.false(producer.publish(), 'awake');
  t.false(consumer.sleep(), 'a record waits');
  t.is(words[SLEEPING], 0);
  read(consumer);
  t.true(consumer.sleep());
  t.false(producer.publish(), 'nothing to publish');
  write(producer, 'b');
  t.true(producer.publish());
  write(producer, 'c');
  t.false(producer.publish(), 'rung already');
});

test('a consumer that wakes by itself is not rung', (t) => {
  const { producer, consumer } = ringAt(64);
  t.true(consumer.sleep());
  consumer.wake();
  write(producer, 'a');
  t.false(producer.publish());
});

test('a producer that found the ring full is told once when a quarter is free', (t) => {
  const { producer, consumer } = ringAt(256);
  while (write(producer, 'twelve bytes'));
  producer.publish();
  t.false(producer.tookRoom());
  for (let i = 0; i < 3; i++) {
    read(consumer);
    t.false(consumer.release(), `${(i + 1) * 16} of 64 bytes`);
  }
  t.false(producer.tookRoom());
  read(consumer);
  t.true(consumer.release());
  t.true(producer.tookRoom());
  t.false(producer.tookRoom());
  read(consumer);
  t.false(consumer.release());
});

test('a producer that needs more than a quarter is told only when that much is free', (t) => {
  const { producer, consumer } = ringAt(256);
  while (write(producer, 'twelve bytes'));
  t.false(write(producer, 'x'.repeat(100)));
  producer.publish();
  for (let i = 0; i < 6; i++) {
    read(consumer);
    t.false(consumer.release());
  }
  read(consumer);
  t.true(consumer.release());
  t.true(write(producer, 'x'.repeat(100)));
});

/**
 * Whether a producer is told of room after `first` was refused and `second` was claimed. The consumer
 * releases `freed` records before access number `at` of the producer's second claim, and the rest when the
 * producer has done what it does before it sleeps. Null if the second claim has fewer accesses.
 */
function toldOfRoom(first: number, second: number, freed: number, at: number): boolean | null {
  let access = -1;
  const release = (records: number) => {
    for (let i = 0; i < records; i++) ring.consumer.next();
    return ring.consumer.release();
  };
  const ring = ringAt(
    64,
    0,
    stepped(() => {
      if (access >= 0 && access++ === at) release(freed);
    }),
  );
  const { producer, consumer } = ring;
  for (let i = 0; i < 4; i++) write(producer, 'twelve bytes');
  producer.publish();
  if (producer.claim(first) !== FULL) throw new Error('expected no room for the first claim');
  access = 0;
  if (producer.claim(second) >= 0) producer.abort();
  const isOver = access <= at;
  access = -1;
  if (isOver) return null;
  // A producer checks once more after it has announced its sleep. After that only the consumer's notice wakes
  // it.
  if (producer.tookRoom()) return true;
  while (consumer.next() !== EMPTY);
  return consumer.release();
}

test('a refused claim is told of room even if the room appears during a later claim', (t) => {
  let cases = 0;
  for (const first of [28, 12, 1]) {
    for (const second of [28, 12, 1]) {
      for (const freed of [1, 2, 3, 4]) {
        for (let at = 0; ; at++) {
          const told = toldOfRoom(first, second, freed, at);
          if (told === null) break;
          t.true(told, `${first} refused, ${second} claimed, ${freed} records freed before access ${at}`);
          cases++;
        }
      }
    }
  }
  t.true(cases > 100);
});

const wild: [string, (words: Int32Array) => void][] = [
  ['a length longer than what was published', (words) => (words[RECORDS_INDEX] = 40)],
  ['a length past the end of the ring', (words) => (words[RECORDS_INDEX] = 1000)],
  ['a length whose record size overflows', (words) => (words[RECORDS_INDEX] = 0x7fffffff)],
  ['a length of zero', (words) => (words[RECORDS_INDEX] = 0)],
  ['padding that is not the rest of the ring', (words) => (words[RECORDS_INDEX] = -16)],
  ['padding that was not published', (words) => (words[RECORDS_INDEX] = -64)],
  ['a write position far ahead', (words) => (words[WRITE_POSITION] = 72)],
  ['a write position behind the read position', (words) => (words[WRITE_POSITION] = -8)],
];
for (const [what, spoil] of wild) {
  test(`${what} is reported as corrupt and not followed`, (t) => {
    const { producer, consumer, words } = ringAt(64);
    write(producer, 'twelve bytes');
    producer.publish();
    spoil(words);
    t.is(consumer.next(), CORRUPT);
  });
}

test('a read position outside what was written is reported to the producer as corrupt', (t) => {
  for (const position of [8, 64, -72]) {
    const { producer, words } = ringAt(64);
    for (let i = 0; i < 4; i++) write(producer, 'twelve bytes');
    producer.publish();
    words[READ_POSITION] = 64 + position;
    t.is(producer.claim(8), CORRUPT, String(position));
  }
});

test('a request for more room than the ring has is granted when the ring is empty', (t) => {
  const { producer, consumer, words } = ringAt(64);
  write(producer, 'a');
  producer.publish();
  words[ROOM_WANTED] = 2 ** 30;
  read(consumer);
  t.true(consumer.release());
});

test('any sequence of claims, commits, aborts, publishes, reads and releases is a queue of records', (t) => {
  const operation = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('write'), length: fc.integer({ min: 1, max: 60 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('abort'), length: fc.integer({ min: 1, max: 60 }) }),
    },
    { weight: 2, arbitrary: fc.constant({ do: 'publish', length: 0 }) },
    { weight: 4, arbitrary: fc.constant({ do: 'read', length: 0 }) },
    { weight: 2, arbitrary: fc.constant({ do: 'release', length: 0 }) },
  );
  const position = fc.integer({ min: -(2 ** 28), max: 2 ** 28 - 1 }).map((n) => n * 8);
  fc.assert(
    fc.property(position, fc.array(operation, { maxLength: 200 }), (start, operations) => {
      const { producer, consumer } = ringAt(128, start);
      const committed: string[] = [];
      const published: string[] = [];
      let serial = 0;
      let roomNeeded = 0;
      for (const { do: what, length } of operations) {
        if (what === 'write') {
          const text = String.fromCharCode(33 + (serial % 90)).repeat(length);
          if (write(producer, text)) {
            committed.push(text);
            serial++;
          } else {
            roomNeeded++;
            // Only a ring that holds something may be full.
            if (
              committed.length + published.length === 0 &&
              consumer.held === 0 &&
              producer.pendingBytes === 0
            ) {
              throw new Error('an empty ring was full');
            }
          }
        } else if (what === 'abort') {
          if (producer.claim(length) >= 0) producer.abort();
        } else if (what === 'publish') {
          producer.publish();
          published.push(...committed.splice(0));
        } else if (what === 'read') {
          const expected = published.shift() ?? EMPTY;
          const got = read(consumer);
          if (got !== expected) throw new Error(`read ${got}, expected ${expected}`);
        } else {
          consumer.release();
        }
      }
      producer.publish();
      published.push(...committed);
      for (const expected of published) if (read(consumer) !== expected) return false;
      consumer.release();
      return read(consumer) === EMPTY && (roomNeeded === 0 || write(producer, 'x'.repeat(60)));
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('a record occupies its head and its message, rounded up to 8 bytes', (t) => {
  t.deepEqual([1, 4, 5, 12, 13].map(recordSize), [8, 8, 16, 16, 24]);
});
