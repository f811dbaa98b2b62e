/** A thread that writes what it likes into its ring ends by itself: the directory neither throws nor loses count, and others go on. */
import test from 'ava';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import * as v from 'valibot';
import { ActorDirectory } from '../../runtime/actors/directory.ts';
import { actorsSection } from '../../runtime/config/actor-schema.ts';
import { topicsSchema } from '../../runtime/config/topics-schema.ts';
import { hardwareAtomics } from '../../wire/atomics.ts';
import { RingProducer } from '../../wire/ring.ts';

const packr = new Packr({ useRecords: false });
const RING_BYTES = 262_144;
const pool = {
  name: 'app',
  callsPerThread: 1_024,
  backlogBytes: 16_777_216,
  ringBytes: RING_BYTES,
  module: null,
};

const settings = Object.entries(
  v.parse(actorsSection, {
    keyed: { pool: 'app', export: 'Keyed', kind: 'keyed' },
    pool: { pool: 'app', export: 'Pool', kind: 'pool' },
  }),
).map(([name, { concurrency, export: exported = '', ...actor }]) => ({
  ...actor,
  name,
  export: exported,
  concurrency: concurrency ?? 1,
}));

function start() {
  const aborted: Error[] = [];
  const directory = new ActorDirectory(
    {
      actors: settings,
      topics: v.parse(topicsSchema, {}),
      recallAfterMs: 1_000,
      direct: { maxChannels: 4, afterCalls: 1 },
    },
    {
      onTellFailed: () => undefined,
      onTellLost: () => undefined,
      onStopFailed: () => undefined,
      onRestart: () => undefined,
      onStartFailed: () => undefined,
    },
  );
  const wild = directory.attach('wild', pool, (error) => aborted.push(error));
  const other = directory.attach('other', pool, (error) => aborted.push(error));
  const ring = new RingProducer(wild.boot.channel.fromThread, hardwareAtomics);
  const [link, otherLink] = [...directory.links];
  if (link === undefined || otherLink === undefined) throw new Error('two threads were attached');
  const put = (bytes: Uint8Array): void => {
    const offset = ring.claim(bytes.length);
    ring.bytes.set(bytes, offset);
    ring.commit(bytes.length);
    ring.publish();
  };
  const stop = () => {
    wild.gone();
    other.gone();
    directory.end();
  };
  return { directory, link, otherLink, put, aborted, stop };
}

const DEADLINE = 4_000_000_000;
/** Of no methods. */
const MANIFEST = Buffer.from(packr.pack({ methods: [] }));
/** One of each kind, as a thread may send it when it has a call on slot 0, or none. */
const MESSAGES: readonly unknown[] = [
  [0, 1, 0, 0, DEADLINE, 0, 0, 'key', Buffer.from([0x91, 0xa1, 0x61])],
  [0, 1, 1, 1, DEADLINE, 1, 0, '', Buffer.from([0x91, 0xa1, 0x61])],
  [0, 2, 1, 32, DEADLINE, 0, 0, '', Buffer.from([0x91, 0xa1, 0x61])],
  [0, 3, 0, 32, DEADLINE, 0, 0, '', Buffer.from([0x91, 0xa1, 0x61])],
  [0, 4, 0, 16, DEADLINE, 0, 0, 'key', Buffer.from([0x91, 0xa1, 0x61])],
  [1, 1],
  [1, 2],
  [2, 0, 0, Buffer.from([0xc0])],
  [3, 1, MANIFEST],
  [4, 0],
  [5, 0, 'key', Buffer.alloc(0)],
  [6, 0, Buffer.from([0xc0])],
  [7, 1, 3],
  [10, 0, 'key', 0, Buffer.from([0xc0])],
  [11, 1, 0, 1, 0, 0, 'key'],
  [0, 5, 0, 512, DEADLINE, 0, 0, 'key', Buffer.from([0x91, 0xa1, 0x61])],
  [0, 6, 0, 128, DEADLINE, 0, 0, 'key', Buffer.alloc(1)],
  [0, 7, 0, 256, DEADLINE, 1, 0, 'key', Buffer.from([0x91, 0xa1, 0x61])],
  [12, 1, 3, 100, 1, 0],
  [13, 1],
  [32, 1, 'news'],
  [33, 1],
  [34, 0, 'news', Buffer.from([0xc0])],
];

const message = fc.constantFrom(...MESSAGES).map((each) => Buffer.from(packr.pack(each)));
const mutated = fc.tuple(message, fc.nat(60), fc.integer({ min: 0, max: 255 })).map(([bytes, at, value]) => {
  const changed = Buffer.from(bytes);
  changed[at % changed.length] = value;
  return changed;
});

test('whatever messages a thread sends, in whatever order, they are taken or it ends', (t) => {
  const written = fc.oneof(
    { weight: 4, arbitrary: message },
    { weight: 1, arbitrary: mutated },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 60 }) },
  );
  let ended = 0;
  fc.assert(
    fc.property(fc.array(written, { minLength: 1, maxLength: 30 }), (all) => {
      const { directory, link, otherLink, put, aborted, stop } = start();
      directory.topics.subscribe(otherLink.topics, 7, 'news');
      for (const bytes of all) {
        put(bytes);
        const before = aborted.length;
        const received = link.end.receive(10);
        if (aborted.length > 1) throw new Error('it was ended more than once');
        if (before === 0 && received + aborted.length !== 1) throw new Error('a message was lost');
      }
      ended += aborted.length;
      if (otherLink.end.state !== 'awake') throw new Error('another thread was harmed');
      const sent = directory.topics.tally.events;
      directory.topics.publish('news', Buffer.from([0xc0]), 0, 1);
      if (directory.topics.tally.events === sent) throw new Error('a subscription of another was lost');
      stop();
      if (directory.openMessages < 0) throw new Error(`${directory.openMessages} messages are open`);
      for (const actor of directory.actors) {
        if (actor.messages < 0 || actor.bytes < 0 || actor.placed !== 0) throw new Error('a count is wrong');
      }
    }),
    { numRuns: 1_500 },
  );
  t.true(ended > 0, 'some were no messages');
});

for (const [what, messages] of [
  [
    'a topic under a number of another',
    [
      [32, 1, 'one'],
      [32, 1, 'two'],
    ],
  ],
  ['a topic with too long a name', [[32, 1, 'x'.repeat(257)]]],
  ['a message larger than any may be', [[34, 0, 'news', Buffer.alloc(70_000)]]],
  ['a key longer than any may be', [[0, 1, 0, 0, DEADLINE, 0, 0, 'k'.repeat(513), Buffer.alloc(1)]]],
  ['an answer to a call that it does not have', [[2, 9_999, 0, Buffer.alloc(1)]]],
  ['a kind that there is not', [[35, 0]]],
  ['a manifest that cannot be read', [[3, 1, Buffer.from([0x81, 0xa7])]]],
  ['a manifest of methods without names', [[3, 1, Buffer.from(packr.pack({ methods: [{ name: 1 }] }))]]],
] as const) {
  test(`a thread that sends ${what} ends`, (t) => {
    const { link, put, aborted, stop } = start();
    t.teardown(stop);
    for (const each of messages) put(packr.pack(each));
    link.end.receive(10);
    t.is(aborted.length, 1);
    t.like(aborted[0], { code: 'SLUICE_CHANNEL_CORRUPT' });
  });
}
