import test from 'ava';
import fc from 'fast-check';
import { hardwareAtomics } from '../../wire/atomics.ts';
import { allocateClaims, ClaimState, ClaimTable } from '../../wire/claims.ts';
import { COMMITTED_POSITION, READ_POSITION, SLEEPING, WRITE_POSITION } from '../../wire/layout.ts';
import { ReactorEnd } from '../../wire/reactor-end.ts';
import { allocateRing, FULL, RingConsumer, RingProducer } from '../../wire/ring.ts';
import { BELL_TO_REACTOR, BELL_TO_THREAD, countingBell } from './interleaving/bell.ts';
import { explore, type Run, runOnce } from './interleaving/explore.ts';
import { channelMemory, expect, Peers, publishOne, zero } from './interleaving/memory.ts';
import { CLAIMED, NUMBERED, numbered, Programs, RECEIVED, RINGS } from './interleaving/programs.ts';
import { recordReactor } from './record.ts';

/** A limit for the longer scenarios, whose complete set of interleavings would take minutes. */
const MOST_SWITCHES = 5;

const peers = new Peers();
test.after.always(() => peers.close());

test.serial('a consumer that goes to sleep while records are published is never left asleep on one', (t) => {
  const ring = allocateRing(256);
  const peer = peers.on(ring);
  let bells = 0;
  const runs = explore({
    peer,
    program: Programs.DrainAndSleep,
    reset() {
      zero(ring);
      bells = 0;
    },
    here(atomics) {
      const producer = new RingProducer(ring, atomics);
      return () => {
        for (let i = 0; i < 2; i++) if (publishOne(producer, 8)) bells++;
      };
    },
    check() {
      const sleeps = new Int32Array(ring)[SLEEPING] === 1;
      expect(sleeps || bells > 0, 'woken means rung');
      expect(!sleeps || peer.report(RECEIVED) === 2, 'a side that stays asleep has read everything');
    },
  });
  t.log(`${runs} interleavings`);
  t.true(runs > 100);
});

test.serial('a consumer that looks ahead and goes to sleep is never left asleep on a record', (t) => {
  // In the second case the last publication is padding alone; in the third the positions wrap.
  for (const [position, lengths] of [
    [0, [8, 8]],
    [216, [8, 60]],
    [0x7fffffe8 | 0, [8, 60]],
  ] as const) {
    const ring = allocateRing(256);
    const words = new Int32Array(ring);
    const peer = peers.on(ring);
    let bells = 0;
    const runs = explore(
      {
        peer,
        program: Programs.LookAheadAndSleep,
        reset() {
          zero(ring);
          for (const word of [WRITE_POSITION, READ_POSITION, COMMITTED_POSITION]) words[word] = position;
          bells = 0;
        },
        here(atomics) {
          const producer = new RingProducer(ring, atomics);
          return () => {
            for (const [index, length] of lengths.entries()) {
              const offset = producer.claim(length);
              expect(offset >= 0, 'room for the record');
              producer.bytes.fill(index + 1, offset, offset + length);
              producer.commit(length);
              producer.expose();
            }
            if (producer.publish()) bells++;
          };
        },
        check() {
          const sleeps = words[SLEEPING] === 1;
          expect(sleeps || bells > 0, 'woken means rung');
          expect(!sleeps || peer.report(RECEIVED) === 2, 'a side that stays asleep has read everything');
          // The rest is read in any case, and nothing twice.
          const consumer = new RingConsumer(ring, hardwareAtomics);
          let received = peer.report(RECEIVED);
          while (consumer.next() >= 0) received++;
          expect(received === 2, 'everything is read once');
        },
      },
      MOST_SWITCHES,
    );
    t.log(`${runs} interleavings`);
    t.true(runs > 100);
  }
});

test.serial('a producer that finds no room while the consumer frees it is never left waiting', (t) => {
  const ring = allocateRing(64);
  const peer = peers.on(ring);
  let claimed = 0;
  let producer: RingProducer;
  const runs = explore({
    peer,
    program: Programs.DrainOneByOne,
    reset() {
      zero(ring);
      const filler = new RingProducer(ring, hardwareAtomics);
      for (let i = 0; i < 4; i++) publishOne(filler, 12);
    },
    here(atomics) {
      producer = new RingProducer(ring, atomics);
      return () => {
        claimed = producer.claim(28);
      };
    },
    check() {
      expect(peer.report(RECEIVED) === 4, 'all read');
      expect(claimed !== FULL || peer.report(RINGS) === 1, 'a refused producer is told later, once');
      expect(claimed !== FULL || producer.tookRoom(), 'and the producer can see it');
      if (claimed === FULL) expect(producer.claim(28) >= 0, 'and finds the room');
    },
  });
  t.log(`${runs} interleavings`);
  t.true(runs > 100);
});

/** The reactor's end on the memory of a channel, and the events that it reports. */
function reactorSide() {
  const memory = channelMemory(128);
  const [requests, responses, claims, bells] = memory;
  const words = new Int32Array(bells);
  const heard: string[] = [];
  return {
    memory,
    heard,
    bell: (word: number) => words[word],
    end: (atomics: typeof hardwareAtomics) =>
      new ReactorEnd(
        recordReactor([], {
          onWritable: () => heard.push('writable'),
          onClosed: () => heard.push('closed'),
        }),
        {
          outgoing: requests,
          incoming: responses,
          claims,
          maxDataRecordBytes: 16,
          doorbell: countingBell(bells, BELL_TO_THREAD),
          atomics,
        },
      ),
  };
}

test.serial(
  'a producer that claims again while an earlier claim waits for room is never left waiting',
  (t) => {
    const ring = allocateRing(64);
    const peer = peers.on(ring);
    for (const [first, second] of [
      [28, 4],
      [28, 28],
      [4, 28],
    ] as const) {
      let refused = 0;
      let producer: RingProducer;
      const run: Run = {
        peer,
        program: Programs.DrainOneByOne,
        reset() {
          zero(ring);
          const filler = new RingProducer(ring, hardwareAtomics);
          for (let i = 0; i < 4; i++) publishOne(filler, 12);
        },
        here(atomics) {
          producer = new RingProducer(ring, atomics);
          return () => {
            refused = 0;
            for (const length of [first, second]) {
              if (producer.claim(length) === FULL) {
                refused++;
                continue;
              }
              producer.commit(length);
              producer.publish();
            }
          };
        },
        check() {
          // The consumer is rung for records that were published after its last check.
          const consumer = new RingConsumer(ring, hardwareAtomics);
          while (consumer.next() >= 0);
          consumer.release();
          expect(refused === 0 || producer.tookRoom(), 'a refused producer is told later');
          expect(producer.claim(28) >= 0, 'and there is room');
        },
      };
      const runs = explore(run, MOST_SWITCHES);
      t.log(`${first} bytes, then ${second}: ${runs} interleavings`);
      t.true(runs > 100);
    }
  },
);

test.serial('an end that sleeps after it found the ring full is told when there is room', (t) => {
  const { memory, heard, bell, end } = reactorSide();
  const peer = peers.on(...memory);
  let isSent = false;
  const body = Buffer.alloc(20);
  const runs = explore(
    {
      peer,
      program: Programs.ReceiveAndSleep,
      reset() {
        zero(...memory);
        heard.length = 0;
        // The ring is sized so that one record and the wrap leave no room for a second.
        const words = new Int32Array(memory[0]);
        words[WRITE_POSITION] = 40;
        words[READ_POSITION] = 40;
        const filler = end(hardwareAtomics);
        filler.sendData(0, 0, body, 0, body.length);
        filler.publish();
      },
      here(atomics) {
        const reactor = end(atomics);
        return () => {
          isSent = reactor.sendData(0, 0, body, 0, body.length);
          while (!reactor.sleep());
        };
      },
      check() {
        const told = heard.includes('writable') || bell(BELL_TO_REACTOR) > 0;
        expect(isSent || told, 'a refused sender is told');
        expect(
          peer.report(RECEIVED) === (isSent ? 2 : 1) || bell(BELL_TO_THREAD) > 0,
          'all received or rung for',
        );
      },
    },
    MOST_SWITCHES,
  );
  t.log(`${runs} interleavings`);
  t.true(runs > 100);
});

test.serial(
  'of two ends that send to each other and go to sleep, neither is left asleep on a message',
  (t) => {
    const { memory, heard, bell, end } = reactorSide();
    const peer = peers.on(...memory);
    const runs = explore(
      {
        peer,
        program: Programs.AnswerAndSleep,
        reset() {
          zero(...memory);
          heard.length = 0;
        },
        here(atomics) {
          const reactor = end(atomics);
          return () => {
            reactor.sendCredit(1, 1);
            do reactor.receive(10);
            while (!reactor.sleep());
          };
        },
        check() {
          const received = peer.report(RECEIVED);
          expect(received === 1 || bell(BELL_TO_THREAD) === 1, 'the request is received or rung for');
          expect(received === 0 || heard.length === 1 || bell(BELL_TO_REACTOR) === 1, 'and so is the answer');
        },
      },
      MOST_SWITCHES,
    );
    t.log(`${runs} interleavings`);
    t.true(runs > 100);
  },
);

test.serial(
  'a claim and a recall never both win, and a recalled OPEN never claims the next exchange',
  (t) => {
    const claims = allocateClaims(1);
    const peer = peers.on(claims);
    let recalled = false;
    let next = 0;
    const runs = explore({
      peer,
      program: Programs.ClaimFirstGeneration,
      reset() {
        zero(claims);
        new ClaimTable(claims, hardwareAtomics).queue(0);
      },
      here(atomics) {
        const table = new ClaimTable(claims, atomics);
        return () => {
          recalled = table.recall(0);
          if (!recalled) return;
          table.release(0);
          next = table.queue(0);
        };
      },
      check() {
        const claimed = peer.report(CLAIMED) === 1;
        expect(claimed !== recalled, 'exactly one wins');
        const table = new ClaimTable(claims, hardwareAtomics);
        expect(
          table.stateOf(0) === (recalled ? ClaimState.Queued : ClaimState.Claimed),
          'the state is the winner’s',
        );
        if (recalled) expect(next === 2 && table.claim(0, next), 'the next exchange can be claimed');
      },
    });
    t.log(`${runs} interleavings`);
    t.true(runs >= 7);
  },
);

test.serial('under any interleaving every record arrives whole, in order and once', (t) => {
  const ring = allocateRing(128);
  const bells = new SharedArrayBuffer(8);
  const peer = peers.on(ring, bells);
  const words = new Int32Array(ring);
  const ring_ = () => Atomics.add(new Int32Array(bells), BELL_TO_THREAD, 1);
  const scenario = fc.record({
    schedule: fc.infiniteStream(fc.boolean()),
    lengths: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: NUMBERED, maxLength: NUMBERED }),
    batch: fc.integer({ min: 1, max: 4 }),
    // Some positions lie near the wraps of a signed and of an unsigned word.
    position: fc.constantFrom(0, 8, 120, 0x7fffffc0 | 0, 0xffffff80 | 0).map((at) => at & ~7),
  });
  fc.assert(
    fc.property(scenario, ({ schedule, lengths, batch, position }) => {
      const run: Run = {
        peer,
        program: Programs.ConsumeNumbered,
        reset() {
          zero(ring, bells);
          words[WRITE_POSITION] = position;
          words[READ_POSITION] = position;
        },
        here(atomics) {
          const producer = new RingProducer(ring, atomics);
          return () => {
            for (let index = 0; index < NUMBERED; index++) {
              let offset = producer.claim(60);
              while (offset === FULL) {
                if (producer.publish()) ring_();
                for (let polls = 0; !producer.tookRoom(); polls++) {
                  expect(polls < 2000 && !peer.isDone, 'a full ring is drained in the end');
                  peer.step();
                }
                offset = producer.claim(60);
              }
              expect(offset > 0, 'the ring is not corrupt');
              producer.bytes.fill(numbered(index), offset, offset + lengths[index]);
              producer.commit(lengths[index]);
              if (index % batch === 0 && producer.publish()) ring_();
            }
            if (producer.publish()) ring_();
          };
        },
        check() {
          expect(peer.report(RECEIVED) === NUMBERED, 'all arrived');
        },
      };
      runOnce(run, () => schedule.next().value);
    }),
    { numRuns: 60 },
  );
  t.pass();
});
