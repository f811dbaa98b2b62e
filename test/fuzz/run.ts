/**
 * `npm run fuzz [-- --seconds N --seed S --cases N --target NAME]`: limited in time; exits with 1 at the
 * first case that fails.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { FailedCase, fuzz, type TargetName, targetNames } from './fuzz.ts';
import { Watchdog } from './watchdog.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(randomInt(2 ** 32 - 1)) },
    cases: { type: 'string', default: 'Infinity' },
    target: { type: 'string', multiple: true, default: targetNames },
  },
});
const [seconds, seed, cases] = [Number(values.seconds), Number(values.seed), Number(values.cases)];
const chosen = values.target.filter((name): name is TargetName => targetNames.includes(name as TargetName));
if (!(seconds > 0 && cases > 0 && Number.isInteger(seed)) || chosen.length !== values.target.length) {
  console.error(`usage: npm run fuzz [-- --seconds N --seed S --cases N --target ${targetNames.join('|')}]`);
  process.exit(2);
}

console.log(`seed ${seed}, ${seconds} s for ${chosen.join(', ')}`);
/** Errors thrown in a socket's event, where no case can catch them; they would end a server. */
process.on('uncaughtException', (error) => {
  console.error(`uncaught: ${error.stack}\nreplay: ${watchdog.replay}`);
  process.exit(1);
});
const watchdog = new Watchdog(targetNames);
try {
  for (const name of chosen) await run(name);
} finally {
  await watchdog[Symbol.asyncDispose]();
}

async function run(name: TargetName): Promise<void> {
  try {
    const count = await fuzz(name, { seed, seconds: seconds / chosen.length, cases }, watchdog);
    console.log(`${name}: ${count} cases, nothing found`);
  } catch (error) {
    if (!(error instanceof FailedCase)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
