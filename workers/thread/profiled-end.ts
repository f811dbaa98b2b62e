/** A profiled thread that ends by itself first lets its samples be taken. */
import { ProfileWord } from '../../wire/profile-words.ts';

/** The profile of some seconds takes some milliseconds. */
const PATIENCE_MS = 2_000;

/** @param tell tells the reactor, by a message, that the thread is about to end */
export function endWithProfile(memory: SharedArrayBuffer, tell: () => void): void {
  const words = new Int32Array(memory);
  process.once('exit', () => {
    if (Atomics.load(words, ProfileWord.Running) === 0) return;
    tell();
    const untilMs = performance.now() + PATIENCE_MS;
    // Not `Atomics.wait`: the inspector interrupts running JavaScript, but not a wait.
    while (Atomics.load(words, ProfileWord.Taken) === 0 && performance.now() < untilMs);
  });
}
