/** The chain of calls that travels in a payload: what is written is read, and what nobody has written is taken for a chain that is not known. */
import test from 'ava';
import fc from 'fast-check';
import { MAX_CHAIN_CALLS, MAX_CHAIN_KEY_CHARS } from '../../wire/actors/bounds.ts';
import type { ChainCall } from '../../wire/actors/messages.ts';
import { carriedChain, chainWith, isSuspect, namedToReactor } from '../../workers/actors/chain.ts';

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const chainCall: fc.Arbitrary<ChainCall> = fc.record({
  channel: word,
  slot: word,
  generation: word,
  actor: word,
  flags: word,
  key: fc.string({ maxLength: 40 }),
});
const own: ChainCall = { channel: 1, slot: 2, generation: 3, actor: 4, flags: 0, key: 'own' };
const called = (settings: object = {}) => ({
  index: 9,
  settings: { kind: 'keyed', maxCallDepth: 64, maxMessageBytes: 262_144, ...settings },
});

test('a chain that is carried is read as it was; one that is too long is not carried, and known so', (t) => {
  fc.assert(
    fc.property(fc.array(chainCall, { minLength: 1, maxLength: MAX_CHAIN_CALLS + 3 }), (calls) => {
      const carried = carriedChain({ calls, isWhole: true }, called());
      const chars = calls.reduce((sum, { key }) => sum + key.length, 0);
      const fits = calls.length <= MAX_CHAIN_CALLS && chars <= MAX_CHAIN_KEY_CHARS;
      t.is(carried !== null, fits);
      const read = chainWith(own, carried);
      t.deepEqual(read, { calls: fits ? [own, ...calls] : [own], isWhole: fits });
      // Whoever reads it knows no more of a chain that was not whole before.
      t.is(carriedChain({ calls, isWhole: false }, called()), null);
      t.is(isSuspect({ calls, isWhole: true }, called({ kind: 'pool' }), '', 0), !fits);
    }),
  );
});

test('whatever a payload holds in its place, it is a chain or none that is known', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.array(fc.oneof(word, fc.string(), fc.anything()))), (carried) => {
      const { calls, isWhole } = chainWith(own, carried);
      t.is(calls[0], own);
      if (carried === undefined) t.true(isWhole && calls.length === 1);
      if (!isWhole) t.is(calls.length, 1);
      for (const { channel, slot, generation, actor, flags, key } of calls) {
        for (const value of [channel, slot, generation, actor, flags]) t.true(value >>> 0 === value);
        t.is(typeof key, 'string');
      }
    }),
  );
});

test('the reactor is told of a chain up to the first call that it has given', (t) => {
  const direct = { ...own, channel: 7 };
  const given = { ...own, channel: 0 };
  t.deepEqual(namedToReactor({ calls: [direct, given, direct], isWhole: true }), [direct, given]);
  t.deepEqual(namedToReactor({ calls: [direct, direct], isWhole: true }), [direct, direct]);
  t.deepEqual(namedToReactor({ calls: [given, direct], isWhole: true }), [given]);
});
