/** What a thread learns about a profile of itself through shared memory; see `ProfileWord`. */
import { allocateProfileWords, ProfileWord } from '../../wire/profile-words.ts';

export class ThreadProfile {
  /** Shared with the thread. */
  readonly memory: SharedArrayBuffer = allocateProfileWords();
  readonly #words = new Int32Array(this.memory);

  /** A profile begins, or is over. */
  setRunning(isRunning: boolean): void {
    Atomics.store(this.#words, ProfileWord.Taken, 0);
    Atomics.store(this.#words, ProfileWord.Running, isRunning ? 1 : 0);
  }

  /** Tells the thread, which waits for that before it ends, that its profile has been taken. */
  release(): void {
    Atomics.store(this.#words, ProfileWord.Taken, 1);
  }
}
