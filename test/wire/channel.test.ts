import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import { type ChannelOptions, createChannel, openChannel } from '../../wire/channel.ts';
import { WireError } from '../../wire/errors.ts';
import { RECORDS_INDEX } from '../../wire/layout.ts';
import type { ReactorHandler, ThreadHandler } from '../../wire/messages.ts';
import { Flag, ResetBy, ResetReason } from '../../wire/messages.ts';
import { type Received, recordReactor, recordThread } from './record.ts';

/** Both ends in one thread; the ends cannot tell the difference. */
function pair(
  options: ChannelOptions = {},
  own: { reactor?: Partial<ReactorHandler>; thread?: Partial<ThreadHandler> } = {},
) {
  const atReactor: Received[] = [];
  const atThread: Received[] = [];
  const { reactor, transfer } = createChannel(recordReactor(atReactor, own.reactor), options);
  const thread = openChannel(transfer, recordThread(atThread, own.thread));
  // A port that a failed assertion leaves open must not keep the test process alive.
  reactor.unref();
  thread.unref();
  return { reactor, thread, atReactor, atThread, transfer };
}

const FIELDS = ['accept', '*/*', 'cookie', 'a=1; b=2'];

test('every message of the reactor arrives at the thread as it was sent and in order', (t) => {
  const { reactor, thread, atThread } = pair();
  const open = ['GET', 'https', 'example.org', '/a?b', '2', '127.0.0.1', 54_321, 4_000_000_000] as const;
  t.true(reactor.sendOpen(7, 3, Flag.End, ...open, FIELDS));
  t.true(reactor.sendOpen(8, 3, 0, ...open, FIELDS, '["TLSv1.3"]'));
  t.true(reactor.sendOpen(9, 3, Flag.End, ...open, FIELDS, '', 'an-id'));
  t.true(reactor.sendOpen(10, 3, 0, ...open, FIELDS, '["TLSv1.3"]', 'another'));
  t.true(reactor.sendData(7, 0, Buffer.from('..body..'), 2, 6));
  t.true(reactor.sendTrailers(7, ['checksum', 'ä']));
  t.true(reactor.sendCredit(7, 65_536));
  t.true(reactor.sendReset(7, 8, ResetBy.Server));
  t.true(reactor.sendTimes(7, 3, 4_000_000_000, 200));
  t.is(thread.receive(100), 0, 'nothing is visible before publish');
  reactor.publish();
  t.is(thread.receive(100), 9);
  t.deepEqual(atThread, [
    ['open', 7, 3, Flag.End, ...open, FIELDS, ''],
    ['open', 8, 3, 0, ...open, FIELDS, '["TLSv1.3"]'],
    ['open', 9, 3, Flag.End | Flag.HasId, ...open, FIELDS, '', 'an-id'],
    ['open', 10, 3, Flag.HasId, ...open, FIELDS, '["TLSv1.3"]', 'another'],
    ['data', 7, 0, 'body'],
    ['trailers', 7, ['checksum', 'ä']],
    ['credit', 7, 65_536],
    ['reset', 7, 8, ResetBy.Server],
    ['times', 7, 3, 4_000_000_000, 200],
  ]);
});

test('every message of the thread arrives at the reactor as it was sent and in order', (t) => {
  const { reactor, thread, atReactor } = pair();
  t.true(thread.sendHead(1, Flag.End | Flag.Final, 200, FIELDS, Buffer.from('grüße')));
  t.true(thread.sendHead(2, Flag.End | Flag.Final, 200, FIELDS, Buffer.from('bytes')));
  t.true(thread.sendHead(3, 0, 200, [], null));
  t.true(thread.sendInform(4, 103, ['link', '</a.css>']));
  t.true(thread.sendData(5, Flag.End | Flag.Final, Buffer.from('body'), 0, 4));
  t.true(thread.sendTrailers(6, Flag.Final, ['grpc-status', '0']));
  t.true(thread.sendCredit(7, 1000, 70_000));
  t.true(thread.sendReset(8, Flag.Final, 2, ResetReason.Threw));
  t.true(thread.sendClosed(9));
  thread.publish();
  t.is(reactor.receive(100), 9);
  t.deepEqual(atReactor, [
    ['head', 1, 3, 200, FIELDS, 'grüße'],
    ['head', 2, 3, 200, FIELDS, 'bytes'],
    ['head', 3, 0, 200, [], ''],
    ['inform', 4, 103, ['link', '</a.css>']],
    ['data', 5, 3, 'body'],
    ['trailers', 6, 2, ['grpc-status', '0']],
    ['credit', 7, 1000, 70_000],
    ['reset', 8, 2, 2, ResetReason.Threw],
    ['closed', 9],
  ]);
});

test('receive stops at its limit and continues from there', (t) => {
  const { reactor, thread, atThread } = pair();
  for (let slot = 0; slot < 5; slot++) reactor.sendCredit(slot, 1);
  reactor.publish();
  t.is(thread.receive(3), 3);
  t.is(thread.receive(3), 2);
  t.deepEqual(
    atThread.map((message) => message[1]),
    [0, 1, 2, 3, 4],
  );
});

test('receive stops after the given number of bytes', (t) => {
  const { reactor, thread } = pair();
  for (let i = 0; i < 5; i++) t.true(reactor.sendData(0, 0, Buffer.alloc(1_000), 0, 1_000));
  reactor.publish();
  t.is(thread.receive(100, 1_500), 2);
  t.is(thread.receive(100, 1), 1);
  t.is(thread.receive(100), 2);
});

test('a full ring refuses, and onWritable follows when a quarter is free', (t) => {
  let writable = 0;
  const options = { requestRingBytes: 1024, maxDataRecordBytes: 256 };
  const { reactor, thread, atThread } = pair(options, { reactor: { onWritable: () => writable++ } });
  const body = Buffer.alloc(120, 'x');
  let sent = 0;
  while (reactor.sendData(0, 0, body, 0, body.length)) sent++;
  t.true(sent >= 7);
  reactor.publish();
  reactor.receive(1);
  t.is(writable, 0);
  thread.receive(1);
  reactor.receive(1);
  t.is(writable, 0, 'one record of eight is less than a quarter');
  thread.receive(100);
  reactor.receive(1);
  t.is(writable, 1);
  reactor.receive(1);
  t.is(writable, 1, 'told once');
  t.true(reactor.sendData(0, Flag.End, body, 0, body.length));
  reactor.publish();
  thread.receive(100);
  t.is(atThread.length, sent + 1);
});

test('a sleeping side is rung once for a batch and an awake one not at all', async (t) => {
  const wakes = new MessageChannel();
  let woken = 0;
  const { reactor, thread } = pair(
    {},
    {
      thread: {
        onWake: () => {
          woken++;
          wakes.port1.postMessage(0);
        },
      },
    },
  );
  reactor.sendCredit(0, 1);
  reactor.publish();
  t.false(thread.sleep(), 'a message is waiting');
  t.is(thread.receive(10), 1);
  t.true(thread.sleep());
  t.is(thread.state, 'sleeping');
  for (let i = 0; i < 3; i++) {
    reactor.sendCredit(0, 1);
    reactor.publish();
  }
  await once(wakes.port2, 'message');
  t.is(woken, 1);
  t.is(thread.state, 'awake');
  t.is(thread.receive(10), 3);
  reactor.close();
  thread.close();
  wakes.port1.close();
});

test('a sleeping producer is rung when the full ring has room again', async (t) => {
  const wakes = new MessageChannel();
  const { reactor, thread } = pair(
    { requestRingBytes: 1024 },
    { reactor: { onWritable: () => wakes.port1.postMessage(0) } },
  );
  const body = Buffer.alloc(120);
  while (reactor.sendData(0, 0, body, 0, body.length));
  t.true(reactor.sleep(), 'sleep publishes first');
  thread.receive(100);
  await once(wakes.port2, 'message');
  t.true(reactor.sendData(0, 0, body, 0, body.length));
  reactor.close();
  thread.close();
  wakes.port1.close();
});

test('bytes beyond 4 GiB of a body are copied from the right offset', (t) => {
  const { reactor, thread, atReactor } = pair();
  const start = 2 ** 32 + 8;
  // Untouched pages of the array take no memory.
  const body = new Uint8Array(start + 100);
  body.fill(97, start, start + 40);
  body.fill(98, 8, 48);
  t.true(thread.sendData(1, 0, body, start, start + 40));
  body.fill(99, 2 ** 32 - 20, 2 ** 32 + 8);
  t.true(thread.sendData(1, 0, body, 2 ** 32 - 20, 2 ** 32 + 20));
  thread.publish();
  reactor.receive(10);
  t.deepEqual(
    atReactor.map((message) => message[3]),
    ['a'.repeat(40), `${'c'.repeat(28)}${'a'.repeat(12)}`],
  );
});

test('a message whose encoding throws leaves nothing behind, and the next one is sent', (t) => {
  const { reactor, thread, atReactor } = pair();
  const error = new RangeError('at the end of the stack');
  let looks = 0;
  const fields = Object.defineProperty(['a', ''], 1, {
    get: () => {
      // Throws on the first read, which asks for its length, and never again.
      if (looks++ > 0) throw error;
      return '1';
    },
  });
  t.is(
    t.throws(() => thread.sendHead(1, 0, 200, fields, null)),
    error,
  );
  t.true(thread.sendHead(2, 0, 204, ['b', '2'], null));
  thread.publish();
  t.is(reactor.receive(10), 1);
  t.deepEqual(atReactor, [['head', 2, 0, 204, ['b', '2'], '']]);
});

test('a message too long for an empty ring throws, and the ring does not count as full', (t) => {
  const { reactor } = pair({ requestRingBytes: 1024 });
  const error = t.throws(() => reactor.sendTrailers(0, ['a', 'x'.repeat(600)]), { instanceOf: WireError });
  t.is(error?.code, 'SLUICE_RECORD_TOO_LARGE');
  t.true(reactor.sendCredit(0, 1), 'and the channel still works');
});

test('a corrupt record ends the channel for its reader and is reported once', (t) => {
  const errors: Error[] = [];
  const { reactor, thread, transfer } = pair({}, { reactor: { onCorrupt: (error) => errors.push(error) } });
  thread.sendClosed(1);
  thread.publish();
  new Int32Array(transfer.responses)[RECORDS_INDEX] = 2 ** 30;
  t.is(reactor.receive(10), 0);
  t.is(reactor.receive(10), 0);
  t.is(errors.length, 1);
  t.is((errors[0] as WireError).code, 'SLUICE_CHANNEL_CORRUPT');
  t.is(reactor.state, 'corrupt');
  t.false(reactor.sendCredit(0, 1));
});

test('an end of another grammar version is refused', (t) => {
  const { transfer } = pair();
  const other = { ...transfer, version: transfer.version + 1 };
  t.is(
    t.throws(() => openChannel(other, recordThread([])), { instanceOf: WireError })?.code,
    'SLUICE_WIRE_VERSION',
  );
});

test('options out of range are refused with the expected range and the actual value', (t) => {
  const refused: [ChannelOptions, string][] = [
    [
      { requestRingBytes: 1000 },
      'requestRingBytes: expected a power of two from 1024 to 1073741824, got 1000',
    ],
    [
      { responseRingBytes: 512 },
      'responseRingBytes: expected a power of two from 1024 to 1073741824, got 512',
    ],
    [{ slots: 0 }, 'slots: expected an integer from 1 to 1048576, got 0'],
    [
      { requestRingBytes: 65_536, maxDataRecordBytes: 65_536 },
      'maxDataRecordBytes: expected an integer from 1 to 16384, got 65536',
    ],
  ];
  for (const [options, message] of refused) {
    const error = t.throws(() => createChannel(recordReactor([]), options), { instanceOf: WireError });
    t.is(error?.code, 'SLUICE_WIRE_OPTION_INVALID');
    t.is(error?.message, message);
  }
});
