/** A short run of the fuzzer in every run of the tests; `npm run fuzz` goes on for longer. */
import { randomInt } from 'node:crypto';
import test from 'ava';
import { fuzz, targetNames } from './fuzz.ts';
import { Watchdog } from './watchdog.ts';

const SECONDS = 2;
const watchdog = new Watchdog(targetNames);
test.after.always(() => watchdog[Symbol.asyncDispose]());

for (const name of targetNames) {
  // One after the other, so that a case that hangs is known.
  test.serial(`${SECONDS} seconds of fuzzing find nothing in ${name}`, async (t) => {
    const seed = randomInt(2 ** 32 - 1);
    // Told before it is needed: what is thrown in a socket's event ends the process.
    console.log(`${name}: seed ${seed}`);
    const count = await fuzz(name, { seed, seconds: SECONDS, cases: Infinity }, watchdog);
    t.log(`${count} cases`);
    t.true(count > 0);
  });
}
