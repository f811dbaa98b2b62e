/** What held up a load, judged from readings such as the server gives. */
import test from 'ava';
import { Cause, judge, type Reading } from '../../runtime/clinic/verdict.ts';

interface Situation {
  readonly reactorActiveMs?: number;
  readonly threadsActiveMs?: readonly number[];
  readonly collectingMs?: number;
  readonly creditStalledMs?: number;
  readonly ended?: number;
  /** Milliseconds of each exchange. */
  readonly queued?: number;
  readonly claimed?: number;
  readonly served?: number;
  /** The longest time that a thread was seen to compute without a pause. */
  readonly turn?: number;
}

const ELAPSED_MS = 1_000;

/** Two readings one second apart; `before` is added to both. */
function readings(situation: Situation, before = 10_000): [Reading, Reading] {
  const of = (part: 0 | 1): Reading => {
    const { reactorActiveMs = 100, threadsActiveMs = [300, 300], collectingMs = 10 } = situation;
    const { creditStalledMs = 0, ended = 100, queued = 0.1, claimed = 0.1, served = 5 } = situation;
    const loop = (activeMs: number) => ({
      activeMs: before + part * activeMs,
      idleMs: before + part * (ELAPSED_MS - activeMs),
    });
    const wait = (ms: number) => ({
      count: before + part * ended,
      sumMs: before + part * ended * ms,
      buckets: [[0.001, before] as const, ...(part === 1 ? [[ms, ended] as const] : [])],
    });
    return {
      reactor: loop(reactorActiveMs),
      pools: [
        {
          name: 'app',
          threads: threadsActiveMs.map((activeMs, index) => ({
            name: `app-${index + 1}`,
            loop: loop(activeMs),
            collectingMs: before + part * collectingMs,
          })),
          total: {
            ended: before + part * ended,
            creditStalledMs: before + part * creditStalledMs,
            queueWait: wait(queued),
            claimWait: wait(claimed),
            service: wait(served),
          },
        },
      ],
    };
  };
  return [of(0), of(1)];
}

for (const [cause, situation, figure] of [
  [Cause.Nothing, { ended: 0, threadsActiveMs: [0, 0] }, /no exchange/],
  [Cause.Reactor, { reactorActiveMs: 970 }, /97 %.*30 %/],
  [Cause.Threads, { threadsActiveMs: [990, 970], queued: 40 }, /98 %.*40 ms/],
  [Cause.Threads, { threadsActiveMs: [990, 970], reactorActiveMs: 900 }, /98 %/],
  [Cause.Collection, { threadsActiveMs: [900, 900], collectingMs: 400 }, /44 %/],
  [Cause.Credit, { served: 100, creditStalledMs: 8_000 }, /80 %/],
  [Cause.Blocked, { threadsActiveMs: [990, 970], served: 200, turn: 120 }, /120 ms.*200 ms.*10 %/],
  [Cause.Threads, { threadsActiveMs: [990, 970], served: 20, turn: 120 }, /98 %/],
  [Cause.Blocked, { threadsActiveMs: [300, 100], claimed: 80 }, /5 ms/],
  [Cause.Queue, { threadsActiveMs: [100, 100], queued: 50 }, /50 ms/],
  [Cause.Waiting, { threadsActiveMs: [50, 50], served: 20 }, /20 ms.*5 %/],
  [Cause.Idle, { threadsActiveMs: [200, 200], served: 4 }, /20 %/],
] as const) {
  test(`${cause}: ${JSON.stringify(situation)}`, (t) => {
    const { turn = 0 } = situation as Situation;
    const [verdict] = judge(...readings(situation), new Map([['app', turn]]));
    t.is(verdict?.pool, 'app');
    t.is(verdict?.cause, cause, verdict?.because);
    t.regex(verdict?.because ?? '', figure);
    t.truthy(verdict?.look);
  });
}

test('a pool that has started since is judged by what it has done', (t) => {
  const [before, after] = readings({ threadsActiveMs: [950, 950] }, 0);
  t.is(judge({ ...before, pools: [] }, after, new Map())[0]?.cause, Cause.Threads);
});

test('one pool alone, on request', (t) => {
  const [before, after] = readings({});
  t.is(judge(before, after, new Map(), 'app').length, 1);
  t.is(judge(before, after, new Map(), 'another').length, 0);
});
