/**
 * The producing thread of the ring's stress test. It writes as fast as it can, in batches of varying size.
 */

import { workerData } from 'node:worker_threads';
import { hardwareAtomics } from '../../../wire/atomics.ts';
import { FULL, RingProducer } from '../../../wire/ring.ts';
import {
  BELL_TO_CONSUMER,
  BELL_TO_PRODUCER,
  lengthOf,
  nextRandom,
  ring,
  type StressData,
} from './numbers.ts';

const { ring: memory, bells, records, seed } = workerData as StressData;
const producer = new RingProducer(memory, hardwareAtomics);
const { bytes } = producer;
let random = seed;
for (let index = 0; index < records; index++) {
  random = nextRandom(random);
  const length = lengthOf(random);
  // Read before the claim that may fail, so that a bell rung after the claim ends the wait at once.
  let heard = Atomics.load(bells, BELL_TO_PRODUCER);
  let offset = producer.claim(27);
  while (offset === FULL) {
    if (producer.publish()) ring(bells, BELL_TO_CONSUMER);
    Atomics.wait(bells, BELL_TO_PRODUCER, heard);
    heard = Atomics.load(bells, BELL_TO_PRODUCER);
    offset = producer.claim(27);
  }
  bytes[offset] = index;
  bytes[offset + 1] = index >> 8;
  bytes[offset + 2] = index >> 16;
  bytes[offset + 3] = index >> 24;
  for (let i = 4; i < length; i++) bytes[offset + i] = random + i;
  producer.commit(length);
  if ((random & 31) === 0 && producer.publish()) ring(bells, BELL_TO_CONSUMER);
}
if (producer.publish()) ring(bells, BELL_TO_CONSUMER);
