import { Worker } from 'node:worker_threads';
import test from 'ava';
import { hardwareAtomics } from '../../wire/atomics.ts';
import { createChannel } from '../../wire/channel.ts';
import { READ_POSITION, WRITE_POSITION } from '../../wire/layout.ts';
import type { ReactorEnd } from '../../wire/reactor-end.ts';
import { allocateRing, CORRUPT, EMPTY, RingConsumer } from '../../wire/ring.ts';
import { recordReactor } from './record.ts';
import {
  BELL_TO_CONSUMER,
  BELL_TO_PRODUCER,
  lengthOf,
  nextRandom,
  ring as ringBell,
  type StressData,
} from './stress/numbers.ts';

/** Reads all records of a producer in another thread, and blocks this thread whenever it sleeps. */
function consume({ ring, bells, records, seed }: StressData): { sleeps: number; records: number } {
  const consumer = new RingConsumer(ring, hardwareAtomics);
  const { bytes } = consumer;
  let random = seed;
  let sleeps = 0;
  let index = 0;
  while (index < records) {
    const heard = Atomics.load(bells, BELL_TO_CONSUMER);
    const offset = consumer.next();
    if (offset === EMPTY) {
      if (consumer.release()) ringBell(bells, BELL_TO_PRODUCER);
      if (!consumer.sleep()) continue;
      sleeps++;
      if (Atomics.wait(bells, BELL_TO_CONSUMER, heard, 20_000) === 'timed-out') {
        throw new Error(`asleep at record ${index}`);
      }
      continue;
    }
    if (offset === CORRUPT) throw new Error(`corrupt at record ${index}`);
    random = nextRandom(random);
    const length = lengthOf(random);
    if (consumer.length !== length)
      throw new Error(`record ${index} has ${consumer.length} bytes, not ${length}`);
    let number = bytes[offset] | (bytes[offset + 1] << 8);
    number |= (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24);
    if (number !== index) throw new Error(`record ${number} came as number ${index}`);
    for (let i = 4; i < length; i++) {
      if (bytes[offset + i] !== ((random + i) & 0xff)) throw new Error(`wrong byte in record ${index}`);
    }
    index++;
    if ((random & 0xf0) === 0 && consumer.release()) ringBell(bells, BELL_TO_PRODUCER);
  }
  consumer.release();
  return { sleeps, records: index };
}

// The small ring is full or empty all the time. The large one starts just before its positions wrap.
const rings = [
  { capacity: 1024, records: 1_000_000, position: 0 },
  { capacity: 2 ** 18, records: 9_500_000, position: -(2 ** 24) },
];
for (const { capacity, records, position } of rings) {
  test.serial(
    `${records} records cross between two threads through ${capacity} bytes whole and in order`,
    async (t) => {
      const ring = allocateRing(capacity);
      const words = new Int32Array(ring);
      words[WRITE_POSITION] = position;
      words[READ_POSITION] = position;
      const bells = new Int32Array(new SharedArrayBuffer(8));
      const data: StressData = { ring, bells, records, seed: 2_463_534_242 | 0 };
      const producer = new Worker(new URL('stress/producer.ts', import.meta.url), { workerData: data });
      const outcome = consume(data);
      await producer.terminate();
      t.is(outcome.records, records);
      t.log(`slept ${outcome.sleeps} times`);
    },
  );
}

test.serial(
  '200,000 exchanges on a small channel between two threads that never poll end once each',
  async (t) => {
    const exchanges = 200_000;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const free: number[] = Array.from({ length: 64 }, (_, slot) => slot);
    let begun = 0;
    let ended = 0;
    const send = () => {
      while (begun < exchanges) {
        const slot = free.pop();
        if (slot === undefined) return;
        const generation = end.claims.queue(slot);
        const fields = ['x-exchange', `${slot}/${generation}`];
        if (!end.sendOpen(slot, generation, 1, 'POST', 'http', 'a', '/', '2', '::1', 1, 2, fields)) {
          end.claims.recall(slot);
          end.claims.release(slot);
          free.push(slot);
          return;
        }
        begun++;
      }
    };
    const turn = () => {
      do {
        while (end.receive(32) > 0);
        send();
        if (ended === exchanges) resolve();
      } while (!end.sleep());
    };
    const { reactor, transfer, transferList } = createChannel(
      recordReactor([], {
        onWake: turn,
        onCorrupt: reject,
        onHead(slot, flags, status, fields, bytes, start, finish) {
          const expected = `${slot}/${end.claims.generationOf(slot)}`;
          if (flags !== 3 || status !== 200 || fields[1] !== expected)
            reject(new Error('another HEAD than was sent'));
          if (bytes.toString('latin1', start, finish) !== 'body')
            reject(new Error('another body than was sent'));
          end.claims.release(slot);
          free.push(slot);
          ended++;
        },
      }),
      { requestRingBytes: 1024, responseRingBytes: 1024, slots: 64 },
    );
    const end: ReactorEnd = reactor;
    const thread = new Worker(new URL('stress/answering.ts', import.meta.url), {
      workerData: transfer,
      transferList,
    });
    thread.once('error', reject);
    turn();
    await promise;
    await thread.terminate();
    end.close();
    t.is(ended, exchanges);
    t.is(free.length, 64);
  },
);
