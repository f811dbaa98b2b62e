/** The codec's tests. */

import type { TestFn } from 'ava';
import fc from 'fast-check';
import { Packr, Unpackr } from 'msgpackr';
import { hardwareAtomics } from '../../wire/atomics.ts';
import { createChannel, openChannel } from '../../wire/channel.ts';
import { WireError } from '../../wire/errors.ts';
import { Flag } from '../../wire/messages.ts';
import { RingConsumer, RingProducer } from '../../wire/ring.ts';
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
  return { reactor, thread, atReactor, atThread, faults, transfer };
}

/** The contents of a ring, as any MessagePack decoder reads them. */
function decoded(memory: SharedArrayBuffer): unknown[] {
  const consumer = new RingConsumer(memory, hardwareAtomics);
  const messages: unknown[] = [];
  for (let offset = consumer.next(); offset >= 0; offset = consumer.next()) {
    messages.push(unpackr.unpack(Buffer.from(consumer.bytes.subarray(offset, offset + consumer.length))));
  }
  return messages;
}

function putBytes(memory: SharedArrayBuffer, bytes: Uint8Array): void {
  const producer = new RingProducer(memory, hardwareAtomics);
  const offset = producer.claim(bytes.length);
  producer.bytes.set(bytes, offset);
  producer.commit(bytes.length);
  producer.publish();
}

/**
 * Typical field values, short and long, ASCII and Latin-1; and values that no header should hold but that
 * must do no harm.
 */
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 70,
  }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.integer({ min: 0, max: 400 }).map((length) => 'v'.repeat(length)),
  fc.integer({ min: 0, max: 300 }).map((length) => 'ü'.repeat(length)),
  fc.constantFrom('', 'x'.repeat(31), 'x'.repeat(32), 'é'.repeat(16), 'é'.repeat(128)),
);
const fields = fc.array(fc.tuple(text, text), { maxLength: 20 }).map((pairs) => pairs.flat());
const integer = fc.oneof(fc.nat(300), fc.nat(70_000), fc.integer({ min: 0, max: 0xffffffff }));
const slot = fc.nat(1023);

export function defineCodecTests(test: TestFn): void {
  test('any OPEN arrives as it was sent', (t) => {
    fc.assert(
      fc.property(
        slot,
        integer,
        integer,
        fc.tuple(text, text, text, text),
        integer,
        fields,
        text,
        text,
        (...given) => {
          const [index, generation, any, [method, scheme, authority, path], port, list, tls, id] = given;
          // The sender sets this flag when there is an identifier.
          const flags = (any & ~Flag.HasId) >>> 0;
          const { reactor, thread, atThread } = pair();
          const head = [method, scheme, authority, path, '2', '::1', port, generation] as const;
          if (!reactor.sendOpen(index, generation, flags, ...head, list, tls, id)) throw new Error('full');
          reactor.publish();
          thread.receive(1);
          const named =
            id === '' ? [flags, ...head, list, tls] : [(flags | Flag.HasId) >>> 0, ...head, list, tls, id];
          t.deepEqual(atThread, [['open', index, generation, ...named]]);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('any HEAD arrives as it was sent', (t) => {
    fc.assert(
      fc.property(slot, integer, integer, fields, text, (index, flags, status, list, body) => {
        const { reactor, thread, atReactor } = pair();
        const sent = thread.sendHead(index, flags, status, list, Buffer.from(body));
        if (!sent) throw new Error('full');
        thread.publish();
        reactor.receive(1);
        t.deepEqual(atReactor, [['head', index, flags, status, list, Buffer.from(body).toString()]]);
      }),
      { numRuns: 200 },
    );
  });

  test('a field value of more than 64 KiB keeps its length', (t) => {
    const { reactor, thread, atReactor } = pair();
    const long = ['x', 'x'.repeat(70_000), 'y', 'ü'.repeat(40_000)];
    t.true(thread.sendHead(0, 0, 200, long, null));
    thread.publish();
    reactor.receive(1);
    t.deepEqual(atReactor, [['head', 0, 0, 200, long, '']]);
  });

  test('what the reactor sends is plain MessagePack in the form of the table', (t) => {
    const { reactor, transfer } = pair();
    const head = ['GET', 'http', 'a', '/ü', '2', '::1', 65_535, 70_000] as const;
    reactor.sendOpen(1, 70_000, 1, ...head, ['a', 'é']);
    reactor.sendOpen(2, 1, 0, ...head, [], 'tls');
    reactor.sendOpen(2, 2, 0, ...head, [], '', 'id');
    reactor.sendOpen(2, 3, 0, ...head, [], 'tls', 'id');
    reactor.sendData(200, 1, Buffer.from('abc'), 1, 3);
    reactor.sendTrailers(3, ['a', 'b']);
    reactor.sendCredit(4, 0xffffffff);
    reactor.sendReset(5, 8, 1);
    reactor.sendPromised(6, 70_000, true, 300);
    reactor.sendPromised(6, 1, false, 0);
    reactor.publish();
    t.deepEqual(decoded(transfer.requests), [
      [0, 1, 70_000, 1, 70_000, '/ü', '::1', 65_535, 'GET', 'http', 'a', '2', ['a', 'é']],
      [0, 2, 1, 0, 70_000, '/ü', '::1', 65_535, 'GET', 'http', 'a', '2', [], 'tls'],
      [0, 2, 2, 256, 70_000, '/ü', 'id', '::1', 65_535, 'GET', 'http', 'a', '2', []],
      [0, 2, 3, 256, 70_000, '/ü', 'id', '::1', 65_535, 'GET', 'http', 'a', '2', [], 'tls'],
      [1, 200, 1, Buffer.from('bc')],
      [2, 3, ['a', 'b']],
      [3, 4, 0xffffffff],
      [4, 5, 8, 1],
      [5, 6, 70_000, 1, 300],
      [5, 6, 1, 0, 0],
    ]);
  });

  test('what the thread sends is plain MessagePack in the form of the table', (t) => {
    const { thread, transfer } = pair();
    const long = Buffer.alloc(70_000, 'x');
    thread.sendHead(1, 3, 200, ['a', 'b'], Buffer.from('é'));
    thread.sendHead(2, 0, 404, [], null);
    thread.sendInform(3, 103, ['a', 'b']);
    thread.sendData(4, 2, long, 0, 255);
    thread.sendData(4, 2, long, 0, 256);
    thread.sendData(4, 2, long, 0, 70_000);
    thread.sendTrailers(5, 2, ['a', 'b']);
    thread.sendCredit(6, 128, 256);
    thread.sendReset(7, 2, 2, 1);
    thread.sendClosed(8);
    thread.sendPush(9, 70_000, 'GET', '/a', ['b', 'c']);
    thread.publish();
    t.deepEqual(decoded(transfer.responses), [
      [8, 1, 3, Buffer.from('é'), 200, ['a', 'b']],
      [8, 2, 0, null, 404, []],
      [9, 3, 103, ['a', 'b']],
      [10, 4, 2, long.subarray(0, 255)],
      [10, 4, 2, long.subarray(0, 256)],
      [10, 4, 2, long],
      [11, 5, 2, ['a', 'b']],
      [12, 6, 128, 256],
      [13, 7, 2, 2, 1],
      [14, 8],
      [15, 9, 70_000, 'GET', '/a', ['b', 'c']],
    ]);
  });

  test('what another MessagePack encoder writes is understood', (t) => {
    const { reactor, thread, atReactor, atThread, transfer, faults } = pair();
    const head = ['GET', 'http', 'a', '/', '2', '::1', 80, 70_000];
    const open = [0, 1, 2, 3, 70_000, '/', '::1', 80, 'GET', 'http', 'a', '2', ['a', 'é'.repeat(20)]];
    putBytes(transfer.requests, packr.pack(open));
    thread.receive(1);
    // A RingProducer continues where the last one published.
    for (const message of [
      [1, 300, 1, Buffer.from('bc')],
      [3, 4, 70_000],
      [5, 4, 9, 1, 5],
    ]) {
      putBytes(transfer.requests, packr.pack(message));
    }
    for (const message of [
      [8, 1, 3, Buffer.from('xyz'), 200, ['a', 'b']],
      [15, 1, 9, 'GET', '/a', ['b', 'c']],
      [16, 300, 256],
    ]) {
      putBytes(transfer.responses, packr.pack(message));
    }
    thread.receive(10);
    reactor.receive(10);
    t.deepEqual(faults, []);
    t.deepEqual(atThread, [
      ['open', 1, 2, 3, ...head, ['a', 'é'.repeat(20)], ''],
      ['data', 300, 1, 'bc'],
      ['credit', 4, 70_000],
      ['promised', 4, 9, true, 5],
    ]);
    t.deepEqual(atReactor, [
      ['head', 1, 3, 200, ['a', 'b'], 'xyz'],
      ['push', 1, 9, 'GET', '/a', ['b', 'c']],
      ['pad', 300, 256],
    ]);
  });

  const malformed: [string, unknown][] = [
    ['no array', 'text'],
    ['a kind of the other direction', [0, 1]],
    ['an unknown kind', [16, 1]],
    ['a message that is too short', [12, 1]],
    ['a message that is too long', [12, 1, 2, 3, 4]],
    ['a slot out of range', [14, 1024]],
    ['a negative slot', [14, -1]],
    ['a string for a slot', [14, 'one']],
    ['a fraction for a slot', [14, 0.5]],
    ['a name without a value', [9, 1, 103, ['a']]],
    ['a number for a field value', [9, 1, 103, ['a', 1]]],
    ['an object for fields', [9, 1, 103, {}]],
    ['a string for a status', [9, 1, '103', []]],
    ['a string for DATA', [10, 1, 0, 'abc']],
    ['a number for a body', [8, 1, 3, 5, 200, []]],
    ['a name without a value in HEAD', [8, 1, 3, null, 200, ['a']]],
    ['a number for a field value in HEAD', [8, 1, 3, null, 200, ['a', 1]]],
    ['an object for fields in HEAD', [8, 1, 3, null, 200, {}]],
    ['a string for a status in HEAD', [8, 1, 3, null, '200', []]],
  ];
  test('a malformed message is reported as corrupt and never reaches the handler', (t) => {
    for (const [what, message] of malformed) {
      const { reactor, atReactor, faults, transfer } = pair();
      putBytes(transfer.responses, packr.pack(message));
      t.is(reactor.receive(10), 0, what);
      t.deepEqual(atReactor, [], what);
      t.is(faults.length, 1, what);
      t.true(faults[0] instanceof WireError && faults[0].code === 'SLUICE_CHANNEL_CORRUPT', what);
    }
  });

  test('a message cut short or followed by more is reported as corrupt', (t) => {
    const whole = packr.pack([9, 1, 103, ['link', '</a.css>']]);
    for (const bytes of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.from([0])])]) {
      const { reactor, faults, transfer } = pair();
      putBytes(transfer.responses, bytes);
      t.is(reactor.receive(10), 0);
      t.is(faults.length, 1);
    }
  });

  test('whatever bytes a record holds, receive neither throws nor reads past them', (t) => {
    const mutated = fc
      .tuple(
        fc.constantFrom<unknown>(
          [8, 1, 3, Buffer.from('body'), 200, ['a', 'b', 'content-type', 'text/plain']],
          [10, 1, 0, Buffer.from('body')],
          [12, 1, 70_000, 300],
        ),
        fc.nat(40),
        fc.integer({ min: 0, max: 255 }),
      )
      .map(([message, at, value]) => {
        const bytes = Buffer.from(packr.pack(message));
        bytes[at % bytes.length] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ minLength: 1, maxLength: 60 })), (bytes) => {
        const { reactor, atReactor, faults, transfer } = pair();
        putBytes(transfer.responses, bytes);
        const received = reactor.receive(10);
        return received + faults.length === 1 && atReactor.length === received;
      }),
      { numRuns: 1000 },
    );
    t.pass();
  });
}
