/**
 * Widens the moment between a producer's look for room and its wish for it, in the thread that calls this: the wish waits until the
 * other side has given something back, or a moment has passed. So what happens once in thousands of requests on an idle machine
 * of many cores, and hardly ever on a busy one, happens all the time.
 */
import { hardwareAtomics } from '../../wire/atomics.ts';
import { READ_POSITION, ROOM_WANTED } from '../../wire/layout.ts';

const MOST_MS = 1;

/** @returns what ends it */
export function hesitate(): () => void {
  const { store } = hardwareAtomics;
  hardwareAtomics.store = (words, index, value) => {
    if (index === ROOM_WANTED && value !== 0) {
      const position = Atomics.load(words, READ_POSITION);
      const until = performance.now() + MOST_MS;
      while (Atomics.load(words, READ_POSITION) === position && performance.now() < until);
    }
    store(words, index, value);
  };
  return () => {
    hardwareAtomics.store = store;
  };
}
