/** How much of what a thread had begun is named when it dies or hangs, however much that was. */
import test from 'ava';
import { Casualties } from '../../runtime/pools/casualties.ts';
import { HungThreads, type Overdue } from '../../runtime/pools/hung-threads.ts';
import { PoolBench } from './pool-bench.ts';

const numbered = Array.from({ length: 10 }, (_, index) => `job-${index}`);

test('the eight oldest jobs that a dead thread had begun are named, the others counted', (t) => {
  const casualties = new Casualties();
  for (const what of numbered) casualties.lose({ particulars: { what } });
  t.deepEqual(
    casualties.first.map(({ what }) => what),
    numbered.slice(0, 8),
  );
  t.is(casualties.more, 2);
});

test('of a thread that hangs the eight oldest jobs are named, the others counted', (t) => {
  const bench = new PoolBench();
  const only = bench.addThread(16);
  bench.submit(...numbered);
  t.is(only.begin().length, numbered.length);
  const told: Overdue[] = [];
  const hung = new HungThreads(
    { computeTimeoutMs: 100, computeGraceMs: 100 },
    {
      isExcused: () => false,
      onOverdue: (_thread, overdue) => told.push(overdue),
      onBack: () => t.fail(),
      onHung: () => t.fail() === undefined,
    },
  );
  for (const nowMs of [0, 100]) hung.look([only.thread], nowMs);
  t.deepEqual(
    told.map(({ others, moreOthers }) => [others.map(({ what }) => what), moreOthers]),
    [[numbered.slice(0, 8), 2]],
  );
});
