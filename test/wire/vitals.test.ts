import test from 'ava';
import { allocateVitals, Vitals } from '../../wire/vitals.ts';

function both(slots = 2): { thread: Vitals; reactor: Vitals } {
  const memory = allocateVitals(slots);
  return { thread: new Vitals(memory), reactor: new Vitals(memory) };
}

test('the reactor reads what a thread writes, slot by slot', (t) => {
  const { thread, reactor } = both();
  t.is(reactor.threadId, 0);
  t.is(reactor.turnAgeUs(1_500), 0, 'it has not begun to turn');
  thread.identify(7);
  thread.beginTurn(1_000);
  thread.begin(0, 10);
  thread.begin(1, 3_000_000_000);
  t.is(reactor.threadId, 7);
  t.is(reactor.turnAgeUs(1_500), 500);
  t.is(reactor.begunUs(0), 10);
  t.is(reactor.begunUs(1), 3_000_000_000);
});

test('a stall counts from its beginning and grows while it lasts, and the next one counts anew', (t) => {
  const { thread, reactor } = both();
  thread.begin(0, 0);
  thread.begin(1, 0);
  thread.stall(1, 101);
  thread.stall(1, 201);
  t.true(reactor.isStalled(1));
  t.is(reactor.stalls(1), 1);
  t.is(reactor.stalledUs(1, 301), 200);
  thread.unstall(1, 401);
  t.false(reactor.isStalled(1));
  t.is(reactor.stalledUs(1, 9_999), 300);
  thread.stall(1, 501);
  thread.unstall(1, 601);
  t.is(reactor.stalls(1), 2);
  t.is(reactor.stalledUs(1, 9_999), 400);
  t.is(reactor.stalls(0), 0);
  thread.begin(1, 700);
  t.is(reactor.stalls(1), 0);
  t.is(reactor.stalledUs(1, 9_999), 0);
});

test('elapsed time continues across a wrap of the clock, and a reading that lies a little ahead counts as 0', (t) => {
  const { thread, reactor } = both();
  thread.beginTurn(2 ** 32 - 100);
  t.is(reactor.turnAgeUs(100), 200);
  thread.beginTurn(500);
  t.is(reactor.turnAgeUs(400), 0);
  thread.begin(0, 0);
  thread.stall(0, 2 ** 32 - 101);
  thread.unstall(0, 99);
  t.is(reactor.stalledUs(0, 99), 200);
});

test('collections are counted with the time that they took', (t) => {
  const { thread, reactor } = both();
  thread.collected(1.5);
  thread.collected(2.25);
  thread.begin(0, 5);
  t.is(reactor.collections, 2);
  t.is(reactor.collectingMs, 3.75);
});
