/** A short run of the fuzzer in every test run; `npm run fuzz` runs longer. */
import { randomInt } from 'node:crypto';
import test from 'ava';
import { fuzz, targetNames } from './fuzz.ts';
import { Watchdog } from './watchdog.ts';

const SECONDS = 2;
const watchdog = new Watchdog(targetNames);
test.after.always(() => watchdog[Symbol.asyncDispose]());

for (const name of targetNames) {
  // One after the other, so that a hanging case can be identified.
  test.serial(`${SECONDS} seconds of fuzzing find nothing in ${name}`, async (t) => {
    const seed = randomInt(2 ** 32 - 1);
    // Printed in advance: an error thrown in a socket's event ends the process.
    console.log(`${name}: seed ${seed}`);
    const count = await fuzz(name, { seed, seconds: SECONDS, cases: Infinity }, watchdog);
    t.log(`${count} cases`);
    t.true(count > 0);
  });
}
