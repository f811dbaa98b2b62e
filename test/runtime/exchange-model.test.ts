/**
 * Whatever order peers, applications, turns, recalls and deaths of threads come in: request bytes are consumed or given back
 * exactly once, each side hears of the end exactly once, and nothing is left behind.
 */
import test from 'ava';
import fc from 'fast-check';
import { ManualLoop, settle } from './model/manual-loop.ts';
import { World, type WorldOptions } from './model/world.ts';

const loop = new ManualLoop();
loop.install();

const options: fc.Arbitrary<WorldOptions> = fc.record({
  // The smallest, which a few of the scripted heads fill.
  ringBytes: fc.constantFrom(1024, 1024, 8192),
  slots: fc.integer({ min: 1, max: 8 }),
  requestWindowBytes: fc.constantFrom(16, 100, 1000),
  responseWindowBytes: fc.constantFrom(16, 100, 1000),
  writeBacklogBytes: fc.constantFrom(300, 4000),
  maxQueuedJobs: fc.constantFrom(1, 100),
});

const which = fc.nat({ max: 7 });
const size = fc.constantFrom(0, 1, 30, 100, 256, 257, 600);

/** What can happen next, as data: so that a failure shrinks and prints. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constant('open'), fc.boolean(), fc.boolean(), fc.constantFrom('GET', 'HEAD')),
  },
  { weight: 3, arbitrary: fc.tuple(fc.constant('peerData'), which, size, fc.boolean()) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('peerTrailers', 'peerReset'), which) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('drain'), which, size) },
  { weight: 6, arbitrary: fc.tuple(fc.constant('read'), which) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('respond'), which, fc.option(size)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('write'), which, size) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('end'), which, fc.boolean()) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('inform', 'reset', 'dispose', 'return', 'fail'), which) },
  { weight: 8, arbitrary: fc.tuple(fc.constant('turn'), which) },
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom('ring', 'alarm', 'rebalance', 'calm')) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('race'), fc.nat({ max: 12 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('kill'), which) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('pass'), fc.constantFrom(6, 2000)) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function take(world: World, [what, ...rest]: Step): Promise<void> | void {
  const [first, second, third] = rest as (number | boolean | string | null | undefined)[];
  if (what === 'open') {
    world.open(third as string, first as boolean, second as boolean, 700);
    return;
  }
  const index = typeof first === 'number' ? first : 0;
  const stream = world.streams[index % Math.max(1, world.streams.length)];
  const begun = [...world.applications.values()].filter((application) => !application.over);
  const application = begun[index % Math.max(1, begun.length)];
  switch (what) {
    // A connection that has read asks for a turn; one whose socket took output or went away need not.
    case 'peerData':
      stream?.peerData(second as number, third as boolean);
      return world.reactor.request();
    case 'peerTrailers':
      stream?.peerTrailers();
      return world.reactor.request();
    case 'peerReset':
      return stream?.peerReset(8);
    case 'drain':
      return stream?.drain(second as number);
    case 'read':
      return application?.read();
    case 'respond':
      return application?.respond(second as number | null);
    case 'write':
      return application?.write(second as number);
    case 'end':
      return application?.end(second as boolean);
    case 'inform':
      return application?.inform();
    case 'reset':
      return application?.reset(5);
    case 'dispose':
      return application?.dispose();
    case 'return':
      return application?.return();
    case 'fail':
      return application?.fail();
    case 'turn':
      return world.loop.runOne(index);
    case 'ring':
      world.ring();
      return undefined;
    case 'calm':
      return world.calm();
    case 'alarm':
      return world.loop.fireTimers();
    case 'rebalance':
      return world.dispatcher.rebalance();
    case 'race':
      return world.race(index);
    case 'kill':
      return world.kill(index);
    case 'pass':
      world.loop.nowMs += index;
      world.reactor.tick();
  }
}

/** What fills rings, with turns of the other side in between its shared accesses. */
const crowding = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constant('open'), fc.boolean(), fc.boolean(), fc.constant('GET')) },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constant('peerData'), which, fc.constantFrom(100, 257, 600), fc.constant(false)),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant('read'), which) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('drain'), which, size) },
  { weight: 6, arbitrary: fc.tuple(fc.constant('respond'), which, fc.constant(null)) },
  { weight: 8, arbitrary: fc.tuple(fc.constant('write'), which, fc.constantFrom(1, 100, 256)) },
  { weight: 8, arbitrary: fc.tuple(fc.constant('race'), fc.nat({ max: 8 })) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('turn'), which) },
);

test.serial(
  'in any interleaving every exchange ends once and every byte of credit is accounted for',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { maxLength: 120, size: 'max' }),
        async (sizes, threads, steps) => {
          const world = new World(loop, sizes, threads);
          try {
            for (const next of steps) {
              await take(world, next);
              await settle();
            }
            await world.finish();
            world.checkOver();
          } finally {
            world.close();
          }
        },
      ),
      { numRuns: 300, includeErrorInReport: true },
    );
    t.pass();
  },
);

test.serial('when both sides sleep nothing waits for room, wherever the other side made it', async (t) => {
  const sizes: WorldOptions = {
    ringBytes: 1024,
    slots: 8,
    requestWindowBytes: 1000,
    responseWindowBytes: 1000,
    writeBacklogBytes: 4000,
    maxQueuedJobs: 100,
  };
  await fc.assert(
    fc.asyncProperty(fc.array(crowding, { minLength: 40, maxLength: 160, size: 'max' }), async (steps) => {
      const world = new World(loop, sizes, 1);
      try {
        for (const next of steps) {
          await take(world, next as Step);
          await settle();
        }
        // Both fall asleep by themselves.
        await world.calm();
        await world.finish();
        world.checkOver();
      } finally {
        world.close();
      }
    }),
    { numRuns: 300, includeErrorInReport: true },
  );
  t.pass();
});
