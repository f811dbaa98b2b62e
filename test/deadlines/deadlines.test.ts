/**
 * The arithmetic of deadlines, with a clock controlled by the test and exchanges that report the state they
 * are told to.
 */
import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import { Deadline } from '../../runtime/deadlines/counters.ts';
import { type DeadlineOptions, Deadlines } from '../../runtime/deadlines/deadlines.ts';
import { Watch, type Watchable, type Watcher } from '../../runtime/deadlines/watch.ts';

/** 100 bytes per second over ten seconds, in both directions. */
const rate = { bytesPerSecond: 100, windowMs: 10_000 };
const options: DeadlineOptions = { requestRate: rate, responseRate: rate, exchangeTimeoutMs: 0 };

class Scripted extends Watch implements Watchable {
  watcher: Watcher | null = null;
  previousWatched: Watchable | null = null;
  nextWatched: Watchable | null = null;
  watch: Watch | null = null;
  receivedBytes = 0;
  leastRequestBytesPerSecond = rate.bytesPerSecond;
  isWaitingForContent = false;
  takenBytes = -1;
  hasEnd = true;
  readonly missed: Deadline[] = [];
  whenMissed: () => void = () => undefined;

  onDeadline(deadline: Deadline): void {
    this.missed.push(deadline);
    this.whenMissed();
  }

  createWatch(): Watch {
    return this;
  }

  onFault(): void {}
}

class Clock {
  readonly deadlines: Deadlines;
  nowMs = 5_000;

  constructor(overrides: Partial<DeadlineOptions> = {}) {
    this.deadlines = new Deadlines({ ...options, ...overrides }, this.nowMs);
  }

  watch(): Scripted {
    const exchange = new Scripted();
    this.deadlines.watch(exchange);
    return exchange;
  }

  /** Runs this many ticks of one second, calling `each` before each. */
  tick(ticks: number, each: (tick: number) => void = () => undefined, stepMs = 1_000): void {
    for (let n = 0; n < ticks; n++) {
      each(n);
      this.nowMs += stepMs;
      this.deadlines.advance(this.nowMs);
      this.deadlines.judge();
    }
  }
}

test('a request body at the minimum rate may go on forever, one byte less per window is late', (t) => {
  const clock = new Clock();
  const exchange = clock.watch();
  exchange.isWaitingForContent = true;
  clock.tick(100, () => {
    exchange.receivedBytes += 100;
  });
  t.deepEqual(exchange.missed, []);
  clock.tick(10, (n) => {
    exchange.receivedBytes += n === 0 ? 99 : 100;
  });
  t.deepEqual(exchange.missed, [Deadline.RequestRate]);
  t.is(clock.deadlines.counters.requestRate, 1);
});

test('a peer that stops is late after at least one window and at most two', (t) => {
  for (const sentFor of [0, 3, 9]) {
    const clock = new Clock();
    const exchange = clock.watch();
    exchange.isWaitingForContent = true;
    clock.tick(sentFor, () => {
      exchange.receivedBytes += 1_000;
    });
    clock.tick(9 - (sentFor % 10));
    t.deepEqual(exchange.missed, []);
    clock.tick(11);
    t.is(exchange.missed[0], Deadline.RequestRate);
  }
});

test('time in which the application does not read, or a window is closed, does not count against the peer', (t) => {
  const clock = new Clock();
  const exchange = clock.watch();
  clock.tick(1_000);
  exchange.isWaitingForContent = true;
  clock.tick(9);
  exchange.isWaitingForContent = false;
  clock.tick(1_000);
  t.deepEqual(exchange.missed, []);
  // The time for which the exchange had waited before it was held up still counts.
  exchange.isWaitingForContent = true;
  clock.tick(1);
  t.deepEqual(exchange.missed, [Deadline.RequestRate]);
});

test('a minimum rate of 0 means none, for one route as for all', (t) => {
  const clock = new Clock({ responseRate: { bytesPerSecond: 0, windowMs: 1_000 } });
  const exchange = clock.watch();
  exchange.leastRequestBytesPerSecond = 0;
  exchange.isWaitingForContent = true;
  exchange.takenBytes = 0;
  clock.tick(1_000);
  t.deepEqual(exchange.missed, []);
});

test('a response is late while bytes wait and too few are taken, and never while none wait', (t) => {
  const clock = new Clock();
  const exchange = clock.watch();
  clock.tick(1_000);
  // Bytes taken before output had to wait count neither for nor against the peer.
  exchange.takenBytes = 1_000_000;
  clock.tick(30, () => {
    exchange.takenBytes += 100;
  });
  t.deepEqual(exchange.missed, []);
  clock.tick(10, () => {
    exchange.takenBytes += 99;
  });
  t.deepEqual(exchange.missed, [Deadline.ResponseRate]);
});

test('an exchange has a limit on its total time, and is told once', (t) => {
  const clock = new Clock({ exchangeTimeoutMs: 30_000 });
  const [exchange, tunnel] = [clock.watch(), clock.watch()];
  tunnel.hasEnd = false;
  clock.tick(29);
  t.deepEqual(exchange.missed, []);
  clock.tick(100);
  t.deepEqual(exchange.missed, [Deadline.Exchange]);
  t.deepEqual(tunnel.missed, []);
});

test('a tick that is minutes late, because the machine slept, counts as two seconds', (t) => {
  const clock = new Clock({ exchangeTimeoutMs: 60_000 });
  const exchange = clock.watch();
  exchange.isWaitingForContent = true;
  exchange.takenBytes = 0;
  clock.tick(4, () => undefined, 3_600_000);
  t.deepEqual(exchange.missed, []);
  t.is(exchange.watch?.ageMs, 8_000);
});

test('a clock that stops or goes backwards counts for nothing', (t) => {
  const clock = new Clock({ exchangeTimeoutMs: 1 });
  const exchange = clock.watch();
  clock.tick(3, undefined, 0);
  clock.tick(3, undefined, -1_000);
  t.deepEqual(exchange.missed, []);
});

test('an exchange that ends before a tick has seen it never gets a watch', (t) => {
  const clock = new Clock();
  const [brief, lasting] = [clock.watch(), clock.watch()];
  t.is(brief.watch, null);
  clock.deadlines.forget(brief);
  clock.tick(1);
  t.is(brief.watch, null);
  t.is(lasting.watch, lasting);
});

/** Which exchanges a walk visits. */
function visited(clock: Clock, exchanges: readonly Scripted[]): boolean[] {
  for (const exchange of exchanges) exchange.watch = null;
  clock.tick(1);
  return exchanges.map(({ watch }) => watch !== null);
}

test('each open exchange is judged once a tick, whatever is added and removed, also during the walk', (t: ExecutionContext) => {
  const watchOrForget = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(fc.nat(7)), watchOrForget, (before, within) => {
      const clock = new Clock({ exchangeTimeoutMs: 1_000 });
      const exchanges = Array.from({ length: 8 }, () => new Scripted());
      for (const exchange of exchanges) clock.deadlines.watch(exchange);
      for (const n of before) clock.deadlines.forget(exchanges[n] as Scripted);
      for (const [n, victim] of within) {
        const exchange = exchanges[n] as Scripted;
        exchange.whenMissed = () => clock.deadlines.forget(exchanges[victim] as Scripted);
      }
      clock.tick(1);
      for (const exchange of exchanges) t.true(exchange.missed.length <= 1);
      const open = exchanges.map(({ watcher }) => watcher !== null);
      // All remaining exchanges were told, and none of those that were forgotten before.
      for (const [n, exchange] of exchanges.entries()) {
        if (open[n]) t.is(exchange.missed.length, 1);
        if (before.includes(n)) t.is(exchange.missed.length, 0);
        exchange.whenMissed = () => undefined;
      }
      t.deepEqual(visited(clock, exchanges), open);
    }),
  );
});
