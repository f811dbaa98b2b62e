/** Lets a profiled thread that ends by itself wait until its samples have been taken. */
import { ProfileWord } from '../../wire/profile-words.ts';

/** Taking a profile of some seconds needs some milliseconds. */
const PATIENCE_MS = 2_000;

/** @param tell tells the reactor, by a message, that the thread is about to end */
export function endWithProfile(memory: SharedArrayBuffer, tell: () => void): void {
  const words = new Int32Array(memory);
  process.once('exit', () => {
    if (Atomics.load(words, ProfileWord.Running) === 0) return;
    tell();
    const untilMs = performance.now() + PATIENCE_MS;
    // `Atomics.wait` cannot be used here: the inspector interrupts running JavaScript, but not a wait.
    while (Atomics.load(words, ProfileWord.Taken) === 0 && performance.now() < untilMs);
  });
}
