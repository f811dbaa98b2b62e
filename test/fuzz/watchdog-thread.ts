/** The watchdog's own thread. */
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { CASE, replayOf, SEED, TARGET } from './watchdog.ts';

const { words, limitMs, names } = workerData as {
  readonly words: Int32Array;
  readonly limitMs: number;
  readonly names: readonly string[];
};

for (;;) {
  const seen = Atomics.load(words, CASE);
  Atomics.wait(words, CASE, seen, limitMs);
  // Nobody notifies: the wait has run for its full time, and the case has ended if its number has changed.
  if (seen === 0 || Atomics.load(words, CASE) !== seen) continue;
  const seed = Atomics.load(words, SEED) >>> 0;
  const name = names[Atomics.load(words, TARGET)];
  writeSync(2, `fuzz: a case hangs for ${limitMs} ms\nreplay: ${replayOf(String(name), seed)}\n`);
  process.kill(process.pid, 'SIGKILL');
}
