/**
 * What is published waits for room by itself while other messages of its thread go. A message that finds room takes back what a publisher has
 * asked of the reactor, which then rings nobody: the thread sees to the publisher all the same.
 */
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import * as v from 'valibot';
import { topicsSchema } from '../../runtime/config/topics-schema.ts';
import { ManualClock } from '../../runtime/testing/manual-clock.ts';
import { createActorChannel } from '../../wire/actors/channel.ts';
import { allocateActorCounters } from '../../wire/actors/counters.ts';
import type { ActorReactorHandler } from '../../wire/actors/messages.ts';
import { type AtomicWords, hardwareAtomics } from '../../wire/atomics.ts';
import { ROOM_WANTED } from '../../wire/layout.ts';
import { ActorThread } from '../../workers/actors/actor-thread.ts';

const RING_BYTES = 4_096;
/** Two leave less of the ring than the subscription asks for, and what the third asks for is there when both have been read. */
const LARGE = 'x'.repeat(1_950);
const SUBSCRIBED = 'another'.repeat(8);
const ROUNDS = 50;

/** Hears of everything and says nothing. */
const silent = new Proxy({}, { get: () => () => undefined }) as ActorReactorHandler;

test('a message that takes back what a publisher has asked for leaves it nowhere', async (t) => {
  /** What the thread is about to ask for; 0: nothing. */
  let asking = 0;
  let isArmed = false;
  const reactorAtomics: AtomicWords = {
    ...hardwareAtomics,
    replace(words, index, expected, next) {
      // The thread's request comes between the reactor's look at the one before and its answer.
      if (asking !== 0 && index === ROOM_WANTED && expected !== asking) {
        hardwareAtomics.store(words, index, asking);
        asking = 0;
      }
      return hardwareAtomics.replace(words, index, expected, next);
    },
  };
  const options = { ringBytes: RING_BYTES, slots: 4 };
  const { reactor, introductions, transfer } = createActorChannel(silent, options, reactorAtomics);
  const threadAtomics: AtomicWords = {
    ...hardwareAtomics,
    store(words, index, value) {
      if (isArmed && index === ROOM_WANTED && words.buffer === transfer.fromThread && value !== 0) {
        isArmed = false;
        asking = value;
        reactor.receive(100);
        t.is(asking, 0, 'the reactor has met the request of the publisher');
      }
      hardwareAtomics.store(words, index, value);
    },
  };
  const thread = new ActorThread(
    {
      channel: transfer,
      counters: allocateActorCounters(0),
      thread: 'thread',
      pool: 'pool',
      actors: [],
      topics: v.parse(topicsSchema, {}),
      direct: { afterCalls: 0, recallAfterMs: 5 },
      module: null,
      maxErrorChars: 100,
    },
    threadAtomics,
    new ManualClock(),
  );
  t.teardown(() => {
    thread.close();
    thread.end.close();
    reactor.close();
    introductions.close();
  });
  while (!thread.end.isAsleep) await setImmediate();

  const published = [LARGE, LARGE].map((value) => thread.topics.publish('topic', value));
  let isSent = false;
  void thread.topics.publish('topic', LARGE).then(() => {
    isSent = true;
  });
  await Promise.all(published);
  t.false(isSent, 'the third waits for room');
  await setImmediate();
  t.true(thread.end.isAsleep);

  isArmed = true;
  thread.topics.subscribe(SUBSCRIBED, 1, 'drop-oldest');
  t.false(isArmed, 'there was no room for the subscription at first');
  for (let round = 0; round < ROUNDS && !isSent; round++) {
    await setImmediate();
    reactor.receive(100);
    reactor.sleep();
  }
  t.true(isSent);
});
