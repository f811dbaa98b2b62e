/** The table of live streams, held against a map: it may find, count and list nothing else. */
import test from 'ava';
import fc from 'fast-check';
import { Http2Stream } from '../../runtime/http2/stream.ts';
import { Streams } from '../../runtime/http2/streams.ts';

const NO_ROOM = { roomFor: () => 0 };
const streamOf = (id: number) => new Http2Stream(id, 65_535, NO_ROOM);

/** How far the next id is from the last one of its side: next to it, or where the table has the same place. */
const steps = fc.constantFrom(2, 2, 2, 4, 32, 512, 1024);
const moves = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ move: fc.constant('open' as const), step: steps }) },
    { weight: 1, arbitrary: fc.record({ move: fc.constant('push' as const), step: steps }) },
    { weight: 3, arbitrary: fc.record({ move: fc.constant('close' as const), at: fc.nat(1_000) }) },
  ),
  { maxLength: 1_500, size: 'max' },
);

test('streams are found, counted and listed as in a map, whichever ids a peer chooses', (t) => {
  let mostLive = 0;
  fc.assert(
    fc.property(moves, (all) => {
      const streams = new Streams(16);
      const model = new Map<number, Http2Stream>();
      let [lastId, lastPush] = [-1, 0];
      for (const one of all) {
        if (one.move === 'close') {
          const live = [...model.values()];
          const stream = live[one.at % Math.max(1, live.length)];
          if (stream === undefined) continue;
          t.true(streams.remove(stream));
          t.false(streams.remove(stream), 'it is gone');
          model.delete(stream.id);
          t.is(streams.get(stream.id), undefined);
          continue;
        }
        const isPush = one.move === 'push';
        const stream = streamOf(isPush ? (lastPush += one.step) : (lastId += one.step));
        t.is(streams.get(stream.id), undefined);
        if (isPush) streams.addPush(stream);
        else streams.add(stream);
        model.set(stream.id, stream);
        t.is(streams.get(stream.id), stream);
      }
      mostLive = Math.max(mostLive, model.size);
      const pushes = [...model.keys()].filter((id) => id % 2 === 0).length;
      t.is(streams.count, model.size);
      t.is(streams.pushCount, pushes);
      t.is(streams.peerCount, model.size - pushes);
      for (const [id, stream] of model) t.is(streams.get(id), stream);
      const byId = [...model.keys()].sort((one, other) => one - other);
      t.deepEqual(
        streams.values().map(({ id }) => id),
        byId,
      );
    }),
    { numRuns: 60 },
  );
  t.true(mostLive > 256, 'the table was full');
});

test('a stream that stays keeps its place, and a later one with the same place is found beside it', (t) => {
  const streams = new Streams(16);
  const long = streamOf(1);
  streams.add(long);
  for (let id = 3; id < 4_096; id += 2) {
    const stream = streamOf(id);
    streams.add(stream);
    t.is(streams.get(id), stream);
    t.is(streams.get(1), long);
    t.true(streams.remove(stream));
  }
  t.is(streams.count, 1);
  t.is(streams.get(33), undefined);
});

test('of the ids that a peer skips, eight ranges are remembered', (t) => {
  const streams = new Streams(16);
  for (let id = 3; id <= 39; id += 4) streams.use(id);
  const skipped = Array.from({ length: 10 }, (_, range) => 1 + 4 * range);
  t.deepEqual(
    skipped.map((id) => streams.wasSkipped(id)),
    [true, true, true, true, true, true, true, true, false, false],
  );
  t.false(streams.wasSkipped(3));
});
