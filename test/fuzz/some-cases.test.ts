/**
 * A few cases of the fuzzer's targets that need no server, to check that they run at all. `fuzz.test.ts`
 * looks for faults.
 */
import { randomInt } from 'node:crypto';
import test from 'ava';
import { fuzz } from './fuzz.ts';
import { Random } from './random.ts';
import { Watchdog } from './watchdog.ts';

const CASES = 100;
const names = ['engine', 'hpack', 'wire'] as const;
const watchdog = new Watchdog([...names]);
test.after.always(() => watchdog[Symbol.asyncDispose]());

for (const name of names) {
  test.serial(`${CASES} cases of ${name} find nothing`, async (t) => {
    const seed = randomInt(2 ** 32 - 1);
    console.log(`${name}: seed ${seed}`);
    t.is(await fuzz(name, { seed, seconds: Infinity, cases: CASES }, watchdog), CASES);
  });
}

test('a seed gives the same numbers again, and its neighbour others', (t) => {
  const draw = (seed: number): string => new Random(seed).bytes(20).toString('hex');
  t.is(draw(7), draw(7));
  t.not(draw(7), draw(8));
});
