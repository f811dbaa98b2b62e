import test from 'ava';
import { hardwareAtomics } from '../../wire/atomics.ts';
import { allocateClaims, ClaimState, ClaimTable } from '../../wire/claims.ts';

function tables() {
  const memory = allocateClaims(4);
  return {
    words: new Int32Array(memory),
    reactor: new ClaimTable(memory, hardwareAtomics),
    thread: new ClaimTable(memory, hardwareAtomics),
  };
}

test('an exchange goes from free to queued to claimed and, released, to free again', (t) => {
  const { reactor, thread } = tables();
  t.is(reactor.slots, 4);
  t.is(reactor.stateOf(2), ClaimState.Free);
  const generation = reactor.queue(2);
  t.is(reactor.stateOf(2), ClaimState.Queued);
  t.true(thread.claim(2, generation));
  t.is(reactor.stateOf(2), ClaimState.Claimed);
  reactor.release(2);
  t.is(reactor.stateOf(2), ClaimState.Free);
});

test('an exchange is claimed once', (t) => {
  const { reactor, thread } = tables();
  const generation = reactor.queue(0);
  t.true(thread.claim(0, generation));
  t.false(thread.claim(0, generation));
});

test('a recalled exchange cannot be claimed and a claimed one cannot be recalled', (t) => {
  const { reactor, thread } = tables();
  const first = reactor.queue(0);
  t.true(reactor.recall(0));
  t.is(reactor.stateOf(0), ClaimState.Recalled);
  t.false(thread.claim(0, first));
  const second = reactor.queue(1);
  t.true(thread.claim(1, second));
  t.false(reactor.recall(1));
  t.is(reactor.stateOf(1), ClaimState.Claimed);
});

test('a free slot and a recalled one have nothing to recall', (t) => {
  const { reactor } = tables();
  t.false(reactor.recall(0));
  reactor.queue(0);
  t.true(reactor.recall(0));
  t.false(reactor.recall(0));
});

test('an OPEN of an earlier generation never claims what the slot serves now', (t) => {
  const { reactor, thread } = tables();
  const stale = reactor.queue(3);
  reactor.recall(3);
  reactor.release(3);
  const current = reactor.queue(3);
  t.not(current, stale);
  t.false(thread.claim(3, stale));
  t.is(reactor.stateOf(3), ClaimState.Queued);
  t.true(thread.claim(3, current));
});

test('generations wrap at 2^30 and claims still compare them', (t) => {
  const { reactor, thread, words } = tables();
  words[0] = 0x3fffffff << 2;
  t.is(reactor.generationOf(0), 0x3fffffff);
  const generation = reactor.queue(0);
  t.is(generation, 0);
  t.false(thread.claim(0, 0x3fffffff));
  t.true(thread.claim(0, generation));
  words[1] = 0x3ffffffe << 2;
  t.is(reactor.queue(1), 0x3fffffff);
  t.true(thread.claim(1, 0x3fffffff));
});

test('a slot is queued only when free and released only when claimed or recalled', (t) => {
  const { reactor } = tables();
  t.false(reactor.release(0));
  const generation = reactor.queue(0);
  t.is(reactor.queue(0), -1);
  t.false(reactor.release(0));
  t.is(reactor.stateOf(0), ClaimState.Queued);
  t.is(reactor.generationOf(0), generation, 'a refusal changes nothing');
  reactor.recall(0);
  t.is(reactor.queue(0), -1);
  t.true(reactor.release(0));
});
