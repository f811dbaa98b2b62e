/**
 * The ends of a channel if the other thread misbehaves. Whatever the shared memory contains, it is either
 * read as an event or makes the channel corrupt, once, and splitting it into batches changes nothing.
 */
import { hardwareAtomics } from '../../wire/atomics.ts';
import { type ChannelTransfer, createChannel, openChannel } from '../../wire/channel.ts';
import { RECORDS_INDEX, WRITE_POSITION } from '../../wire/layout.ts';
import { RingConsumer, RingProducer } from '../../wire/ring.ts';
import { type Received, recordReactor, recordThread } from '../wire/record.ts';
import { spoil } from './mutation.ts';
import type { Random } from './random.ts';
import { Finding, mustAgree, type Target } from './target.ts';

const RING_BYTES = 16_384;
const SLOTS = 16;

export function openWire(): Promise<Target> {
  return Promise.resolve({ run: runCase, close: () => Promise.resolve() });
}

/** The end that receives nonsense. */
type Victim = 'reactor' | 'thread';

function runCase(random: Random): void {
  const victim: Victim = random.pick(['reactor', 'thread']);
  const records = spoil(random, goodRecords(random, victim));
  const input = Buffer.concat(records);
  // Sometimes the ring's own words instead of its records.
  const word = random.chance(10)
    ? { index: random.pick([WRITE_POSITION, RECORDS_INDEX]), value: random.next() | 0 }
    : null;
  const atOnce = receive(victim, records, 1000, word, input);
  const oneByOne = receive(victim, records, 1, word, input);
  mustAgree('all messages at once and one a turn', atOnce, oneByOne, input);
}

interface Ends {
  readonly atReactor: Received[];
  readonly atThread: Received[];
  readonly faults: string[];
  readonly transfer: ChannelTransfer;
  readonly reactor: ReturnType<typeof createChannel>['reactor'];
  readonly thread: ReturnType<typeof openChannel>;
}

function open(): Ends {
  const atReactor: Received[] = [];
  const atThread: Received[] = [];
  const faults: string[] = [];
  const onCorrupt = (error: Error): void => void faults.push(error.message);
  const { reactor, transfer } = createChannel(recordReactor(atReactor, { onCorrupt }), {
    requestRingBytes: RING_BYTES,
    responseRingBytes: RING_BYTES,
    slots: SLOTS,
  });
  const thread = openChannel(transfer, recordThread(atThread, { onCorrupt }));
  reactor.unref();
  thread.unref();
  return { atReactor, atThread, faults, transfer, reactor, thread };
}

function close({ reactor, thread }: Ends): void {
  reactor.close();
  thread.close();
}

function ringTo(victim: Victim, { requests, responses }: ChannelTransfer): SharedArrayBuffer {
  return victim === 'reactor' ? responses : requests;
}

/** Messages as the other end writes them. */
function goodRecords(random: Random, victim: Victim): Buffer[] {
  const ends = open();
  const slot = (): number => random.integer(0, SLOTS - 1);
  const fields = (): string[] => [
    'x-name',
    random.text(random.pick([0, 5, 40])),
    'x-other',
    'ü'.repeat(random.integer(0, 40)),
  ];
  const bytes = random.bytes(random.pick([0, 1, 200, 300]));
  for (let count = random.integer(1, 8); count > 0; count--) {
    const kind = random.integer(0, 6);
    if (victim === 'reactor') {
      const { thread } = ends;
      if (kind === 0)
        thread.sendHead(slot(), random.integer(0, 3), 200, fields(), random.pick([null, bytes]));
      else if (kind === 1) thread.sendInform(slot(), 103, fields());
      else if (kind === 2) thread.sendData(slot(), random.integer(0, 3), bytes, 0, bytes.length);
      else if (kind === 3) thread.sendTrailers(slot(), random.integer(0, 3), fields());
      else if (kind === 4) thread.sendCredit(slot(), random.next(), random.integer(0, 70_000));
      else if (kind === 5) thread.sendReset(slot(), random.integer(0, 3), 8, random.integer(0, 1));
      else thread.sendClosed(slot());
    } else {
      const { reactor } = ends;
      const head = ['GET', 'http', 'a', '/ü', '2', '::1', random.integer(0, 65_535), random.next()] as const;
      if (kind <= 1)
        reactor.sendOpen(
          slot(),
          random.next(),
          random.integer(0, 1),
          ...head,
          fields(),
          random.pick(['', 'tls']),
        );
      else if (kind === 2) reactor.sendData(slot(), random.integer(0, 1), bytes, 0, bytes.length);
      else if (kind === 3) reactor.sendTrailers(slot(), fields());
      else if (kind === 4) reactor.sendCredit(slot(), random.next());
      else reactor.sendReset(slot(), random.integer(0, 13), random.integer(0, 1));
    }
  }
  ends.reactor.publish();
  ends.thread.publish();
  const consumer = new RingConsumer(ringTo(victim, ends.transfer), hardwareAtomics);
  const records: Buffer[] = [];
  for (let offset = consumer.next(); offset >= 0; offset = consumer.next()) {
    records.push(Buffer.from(consumer.bytes.subarray(offset, offset + consumer.length)));
  }
  close(ends);
  return records;
}

function receive(
  victim: Victim,
  records: readonly Buffer[],
  limit: number,
  word: { readonly index: number; readonly value: number } | null,
  input: Buffer,
): unknown {
  const ends = open();
  try {
    const memory = ringTo(victim, ends.transfer);
    const producer = new RingProducer(memory, hardwareAtomics);
    for (const record of records) {
      const offset = record.length === 0 ? -1 : producer.claim(record.length);
      if (offset < 0) continue;
      producer.bytes.set(record, offset);
      producer.commit(record.length);
    }
    producer.publish();
    if (word !== null) new Int32Array(memory)[word.index] = word.value;
    const end = ends[victim];
    // Each message takes at most one turn, plus one turn that finds nothing.
    let turns = RING_BYTES;
    while (end.receive(limit) > 0) if (--turns === 0) throw new Finding('it receives without end', input);
    if (ends.faults.length > 1)
      throw new Finding(`it said ${ends.faults.length} times that it is corrupt`, input);
    if (ends.faults.length === 1 && end.receive(limit) > 0)
      throw new Finding('corrupt, it received more', input);
    return [ends.atReactor, ends.atThread, ends.faults, end.state];
  } finally {
    close(ends);
  }
}
