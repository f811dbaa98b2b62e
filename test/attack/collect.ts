/** What a thread of a server still holds when its garbage has been collected, which a resident size does not say. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of the calling thread's heap, and of what lies outside of it. */
export function collectedBytes(): number {
  // The second collection frees what the first has found to belong to nobody.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
