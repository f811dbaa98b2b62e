/**
 * The programs that the peer thread runs. A program sets up undisturbed, then returns the part that is run
 * step by step.
 */

import type { AtomicWords } from '../../../wire/atomics.ts';
import { ClaimTable } from '../../../wire/claims.ts';
import { CORRUPT, EMPTY, RingConsumer } from '../../../wire/ring.ts';
import { ThreadEnd } from '../../../wire/thread-end.ts';
import { recordThread } from '../record.ts';
import { BELL_TO_REACTOR, BELL_TO_THREAD, countingBell } from './bell.ts';

type Program = (memory: readonly SharedArrayBuffer[], atomics: AtomicWords, report: Int32Array) => () => void;

/** Word offsets in the report of each program. */
export const RECEIVED = 0;
export const RINGS = 1;
export const CLAIMED = 0;

/** Reads everything, then sleeps; starts again if a record has arrived in the meantime. */
const drainAndSleep: Program = ([ring], atomics, report) => {
  const consumer = new RingConsumer(ring, atomics);
  return () => {
    do {
      while (consumer.next() >= 0) report[RECEIVED]++;
      consumer.release();
    } while (!consumer.sleep());
  };
};

/** Reads everything, releasing each record by itself. */
const drainOneByOne: Program = ([ring], atomics, report) => {
  const consumer = new RingConsumer(ring, atomics);
  return () => {
    while (consumer.next() >= 0) {
      report[RECEIVED]++;
      if (consumer.release()) report[RINGS]++;
    }
  };
};

/** As `drainAndSleep`, but looks ahead before each read. */
const lookAheadAndSleep: Program = ([ring], atomics, report) => {
  const consumer = new RingConsumer(ring, atomics);
  return () => {
    do {
      consumer.lookAhead();
      for (let offset = consumer.next(); offset !== EMPTY; offset = consumer.next()) {
        if (offset === CORRUPT) throw new Error('corrupt');
        report[RECEIVED]++;
        if (consumer.bytes[offset] !== report[RECEIVED])
          throw new Error(`wrong byte in record ${report[RECEIVED]}`);
      }
      consumer.release();
    } while (!consumer.sleep());
  };
};

/** The thread's end of a whole channel: receives what has arrived and sleeps. */
const receiveAndSleep: Program = ([requests, responses, claims, bells], atomics, report) => {
  const end = new ThreadEnd(recordThread([]), {
    outgoing: responses,
    incoming: requests,
    claims,
    maxDataRecordBytes: 64,
    doorbell: countingBell(bells, BELL_TO_REACTOR),
    atomics,
  });
  return () => {
    do report[RECEIVED] += end.receive(100);
    while (!end.sleep());
  };
};

/** Responds to each request that it receives, then sleeps. */
const answerAndSleep: Program = ([requests, responses, claims, bells], atomics, report) => {
  const end: ThreadEnd = new ThreadEnd(recordThread([], { onCredit: (slot) => void end.sendClosed(slot) }), {
    outgoing: responses,
    incoming: requests,
    claims,
    maxDataRecordBytes: 64,
    doorbell: countingBell(bells, BELL_TO_REACTOR),
    atomics,
  });
  return () => {
    do report[RECEIVED] += end.receive(100);
    while (!end.sleep());
  };
};

/** Claims slot 0 in its first generation, as an OPEN in the ring demands. */
const claimFirstGeneration: Program = ([claims], atomics, report) => {
  const table = new ClaimTable(claims, atomics);
  return () => {
    report[CLAIMED] = table.claim(0, 1) ? 1 : 0;
  };
};

/** How many records `consumeNumbered` expects, and the value of every byte in record `index`. */
export const NUMBERED = 40;
export const numbered = (index: number) => (index * 7 + 1) & 0xff;

/** Reads numbered records and checks each byte. When the ring is empty it sleeps until it is rung. */
const consumeNumbered: Program = ([ring, bells], atomics, report) => {
  const consumer = new RingConsumer(ring, atomics);
  const bellWords = new Int32Array(bells);
  return () => {
    let heard = 0;
    for (let index = 0; index < NUMBERED; ) {
      const offset = consumer.next();
      if (offset === CORRUPT) throw new Error(`corrupt at record ${index}`);
      if (offset >= 0) {
        for (let i = 0; i < consumer.length; i++) {
          if (consumer.bytes[offset + i] !== numbered(index))
            throw new Error(`wrong byte in record ${index}`);
        }
        report[RECEIVED] = ++index;
        if (index % 3 === 0 && consumer.release()) report[RINGS]++;
        continue;
      }
      if (consumer.release()) report[RINGS]++;
      if (!consumer.sleep()) continue;
      // Each look at the bell is a step, so the test can let the other side continue.
      while (atomics.load(bellWords, BELL_TO_THREAD) === heard);
      heard = atomics.load(bellWords, BELL_TO_THREAD);
    }
    consumer.release();
  };
};

export const programs: readonly Program[] = [
  drainAndSleep,
  drainOneByOne,
  receiveAndSleep,
  answerAndSleep,
  claimFirstGeneration,
  consumeNumbered,
  lookAheadAndSleep,
];

export const Programs = {
  DrainAndSleep: 0,
  DrainOneByOne: 1,
  ReceiveAndSleep: 2,
  AnswerAndSleep: 3,
  ClaimFirstGeneration: 4,
  ConsumeNumbered: 5,
  LookAheadAndSleep: 6,
} as const;
