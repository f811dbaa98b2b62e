/**
 * Compares Sluice's readers of OPEN and HEAD with msgpackr's. They read what msgpackr writes, they read it as
 * msgpackr does, and they never mistake a message for one that was read before.
 */
// A property uses `assert` and not `t`: ava would report a failure itself before fast-check can print the
// seed.
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { Packr, Unpackr } from 'msgpackr';
import { hardwareAtomics } from '../../wire/atomics.ts';
import { ByteCache } from '../../wire/byte-cache.ts';
import { createChannel, openChannel } from '../../wire/channel.ts';
import { Flag } from '../../wire/messages.ts';
import { RingProducer } from '../../wire/ring.ts';
import { type Received, recordReactor, recordThread } from './record.ts';

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false });

function pair() {
  const atReactor: Received[] = [];
  const atThread: Received[] = [];
  const faults: Error[] = [];
  const onCorrupt = (error: Error) => void faults.push(error);
  const { reactor, transfer } = createChannel(recordReactor(atReactor, { onCorrupt }));
  const thread = openChannel(transfer, recordThread(atThread, { onCorrupt }));
  reactor.unref();
  thread.unref();
  const requests = new RingProducer(transfer.requests, hardwareAtomics);
  const responses = new RingProducer(transfer.responses, hardwareAtomics);
  return { reactor, thread, atReactor, atThread, faults, requests, responses };
}

function put(producer: RingProducer, bytes: Uint8Array): void {
  producer.bytes.set(bytes, producer.claim(bytes.length));
  producer.commit(bytes.length);
  producer.publish();
}

const text = fc.oneof(
  fc.constantFrom('', 'GET', 'https', ':protocol', 'cookie', 'x'.repeat(31), 'x'.repeat(32), 'é'.repeat(130)),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
);
const integer = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffffffff }));
const fields = fc.array(fc.tuple(text, text), { maxLength: 12 }).map((pairs) => pairs.flat());
/** What follows the path. There are few values, so that they repeat. */
const rest = fc
  .tuple(text, integer, fc.tuple(text, text, text, text), fields, fc.option(text))
  .map(([address, port, strings, list, tls]) => [
    address,
    port,
    ...strings,
    list,
    ...(tls === null ? [] : [tls]),
  ]);
const opens = fc.array(rest, { minLength: 1, maxLength: 4 }).chain((rests) =>
  fc.array(
    fc.tuple(fc.nat(1023), integer, integer, integer, text, fc.option(text), fc.constantFrom(...rests)),
    {
      minLength: 1,
      maxLength: 30,
    },
  ),
);

/** The message in the form that `recordThread` records. */
function received(message: readonly unknown[]): unknown[] {
  const [, slot, generation, flags, at, path] = message;
  const hasId = ((flags as number) & Flag.HasId) !== 0;
  const behind = message.slice(hasId ? 7 : 6);
  const [address, port, method, scheme, authority, version, list, tls = ''] = behind;
  const head = [method, scheme, authority, path, version, address, port, at];
  const id = hasId && message[6] !== '' ? [message[6]] : [];
  return ['open', slot, generation, flags, ...head, list, tls, ...id];
}

test('any OPENs that msgpackr writes are read as it reads them, whatever came before', (t) => {
  fc.assert(
    fc.property(opens, (messages) => {
      const { thread, atThread, faults, requests } = pair();
      const expected: unknown[] = [];
      for (const [slot, generation, any, at, path, id, behind] of messages) {
        const flags = (id === null ? any & ~Flag.HasId : any | Flag.HasId) >>> 0;
        const named = id === null ? [path] : [path, id];
        const bytes = packr.pack([0, slot, generation, flags, at, ...named, ...behind]);
        put(requests, bytes);
        expected.push(received(unpackr.unpack(bytes)));
      }
      thread.receive(100);
      assert.deepEqual(faults, []);
      assert.deepEqual(atThread, expected as Received[]);
    }),
    { numRuns: 300 },
  );
  t.pass();
});

const heads = fc.array(fc.tuple(integer, fields), { minLength: 1, maxLength: 4 }).chain((few) =>
  fc.array(fc.tuple(fc.nat(1023), integer, fc.option(text), fc.constantFrom(...few)), {
    minLength: 1,
    maxLength: 30,
  }),
);

test('any HEADs that msgpackr writes are read as it reads them, whatever came before', (t) => {
  fc.assert(
    fc.property(heads, (messages) => {
      const { reactor, atReactor, faults, responses } = pair();
      for (const [slot, flags, body, head] of messages) {
        put(responses, packr.pack([8, slot, flags, body === null ? null : Buffer.from(body), ...head]));
      }
      reactor.receive(100);
      assert.deepEqual(faults, []);
      const expected = messages.map(([slot, flags, body, head]) => [
        'head',
        slot,
        flags,
        ...head,
        body ?? '',
      ]);
      assert.deepEqual(atReactor, expected as Received[]);
    }),
    { numRuns: 300 },
  );
  t.pass();
});

const isText = (value: unknown) => typeof value === 'string';
const isCount = (value: unknown): value is number => typeof value === 'number' && value >>> 0 === value;
const isFields = (value: unknown) => Array.isArray(value) && value.length % 2 === 0 && value.every(isText);
const isBody = (value: unknown) => value === null || Buffer.isBuffer(value);

/** What each element of a message must be, apart from its kind. */
const OPEN = [
  isCount,
  isCount,
  isCount,
  isCount,
  isText,
  isText,
  isCount,
  isText,
  isText,
  isText,
  isText,
  isFields,
  isText,
];
/** The same with an identifier after the path. */
const NAMED_OPEN = OPEN.toSpliced(5, 0, isText);
const HEAD = [isCount, isCount, isBody, isCount, isFields];

/** The message as msgpackr reads it; null if it cannot, or if the message violates the grammar. */
function reference(
  bytes: Uint8Array,
  elements: readonly ((value: unknown) => boolean)[],
  most: number,
  isNamed?: boolean,
) {
  let message: unknown;
  try {
    message = unpackr.unpack(bytes);
  } catch {
    return null;
  }
  if (!Array.isArray(message) || message.length > most) return null;
  if (isNamed !== undefined && (isCount(message[3]) && (message[3] & Flag.HasId) !== 0) !== isNamed)
    return null;
  return message.slice(1).every((value, i) => elements[i]?.(value) === true) ? message : null;
}

/** The message with some bytes changed. */
function mutated(message: readonly unknown[]) {
  const bytes = packr.pack(message);
  return fc
    .array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    })
    .map((changes) => {
      const other = Buffer.from(bytes);
      for (const [at, value] of changes) other[at] = value;
      return other;
    });
}

// The same bytes three times: the first is read in place, the second is kept, the third is found.
const READINGS = 3;
const REPLACEMENT = '\uFFFD';

test('an OPEN with changed bytes is read as msgpackr reads it or is corrupt, each time it arrives', (t) => {
  const whole = [0, 1, 2, 3, 70_000, '/a', '::1', 443, 'GET', 'https', 'a', '2', ['b', 'c', 'd', 'e'], 'tls'];
  const named = whole.with(3, Flag.HasId | 3).toSpliced(6, 0, 'id');
  const messages = [whole, whole.slice(0, -1), named, named.slice(0, -1)].map(mutated);
  fc.assert(
    fc.property(fc.oneof(...messages), (bytes) => {
      const { thread, atThread, faults, requests } = pair();
      for (let i = 0; i < READINGS; i++) put(requests, bytes);
      const count = thread.receive(10);
      assert.equal(faults.length, count === READINGS ? 0 : 1);
      if (bytes[1] !== 0) return;
      assert.ok(count === 0 || count === READINGS);
      const message = reference(bytes, OPEN, 14, false) ?? reference(bytes, NAMED_OPEN, 15, true);
      for (const open of atThread) {
        // msgpackr has its own way of reading bytes that are no longer valid UTF-8.
        if (!JSON.stringify(open).includes(REPLACEMENT)) {
          assert.deepEqual(open, received(message ?? []) as Received);
        }
      }
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

test('a HEAD with changed bytes is read as msgpackr reads it or is corrupt, each time it arrives', (t) => {
  fc.assert(
    fc.property(mutated([8, 1, 3, Buffer.from('body'), 200, ['a', 'b', 'content-type', 'text']]), (bytes) => {
      const { reactor, atReactor, faults, responses } = pair();
      for (let i = 0; i < READINGS; i++) put(responses, bytes);
      const count = reactor.receive(10);
      assert.equal(faults.length, count === READINGS ? 0 : 1);
      if (bytes[1] !== 8) return;
      assert.ok(count === 0 || count === READINGS);
      const message = reference(bytes, HEAD, 6);
      for (const head of atReactor) {
        if (JSON.stringify(head).includes(REPLACEMENT)) continue;
        const [, slot, flags, body, status, list] = message ?? [];
        assert.deepEqual(head, ['head', slot, flags, status, list, String(body ?? '')]);
      }
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

test('no request sees a change that a thread makes to the fields of another', (t) => {
  const seen: (readonly string[])[] = [];
  const behind = ['::1', 1, 'GET', 'http', 'a', '2', ['cookie', 'one']];
  const { reactor, transfer } = createChannel(recordReactor([]));
  reactor.unref();
  const other = openChannel(
    transfer,
    recordThread([], {
      onOpen: (_slot, _generation, _flags, _at, _path, head) => void seen.push(head.fields),
    }),
  );
  other.unref();
  const producer = new RingProducer(transfer.requests, hardwareAtomics);
  for (let i = 0; i < 4; i++) put(producer, packr.pack([0, i, 1, 1, 0, '/', ...behind]));
  other.receive(10);
  for (const list of seen) {
    try {
      (list as string[])[1] = 'two';
    } catch {
      // The fields are frozen, because other requests share them.
    }
  }
  put(producer, packr.pack([0, 5, 1, 1, 0, '/', ...behind]));
  other.receive(10);
  t.is(seen.length, 5);
  t.deepEqual(seen[4], ['cookie', 'one']);
});

const short = fc.uint8Array({ minLength: 1, maxLength: 40, max: 3 });

test('a byte cache returns a value only for exactly the bytes that it was kept for', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(short, fc.constantFrom(new Uint8Array(30))), { maxLength: 200 }),
      (keys) => {
        const cache = new ByteCache<string>();
        for (const key of keys) {
          const bytes = Buffer.from(key);
          // Places the bytes in the middle of others, as in a ring.
          const around = Buffer.concat([Buffer.from([1, 2]), bytes, Buffer.from([3])]);
          const found = cache.get(around, 2, 2 + bytes.length);
          if (found !== null) assert.equal(found, bytes.toString('hex'));
          else if (cache.isRepeated) cache.set(bytes, bytes.toString('hex'));
        }
        return true;
      },
    ),
    { numRuns: 200 },
  );
  t.pass();
});

test('a byte cache keeps only what came twice, and at most its limit of bytes', (t) => {
  const cache = new ByteCache<number>();
  let found = 0;
  for (let i = 0; i < 3000; i++) {
    const key = Buffer.alloc(4000, `${i} `);
    for (let time = 0; time < 3; time++) {
      if (cache.get(key, 0, key.length) !== null) found++;
      else if (cache.isRepeated) cache.set(key, i);
    }
    t.true(cache.keptBytes <= 262_144);
  }
  t.is(found, 3000, 'each was found the third time');
  const long = Buffer.alloc(5000, 'x');
  for (let time = 0; time < 3; time++) {
    t.is(cache.get(long, 0, long.length), null);
    t.false(cache.isRepeated, 'a key that is too long is never kept');
  }
});
