/**
 * A thread that only does the work for a while and posts how often: the most that any server's threads can
 * do.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { work } from '../work.ts';

const { iterations, durationMs } = workerData as { iterations: number; durationMs: number };

const end = performance.now() + durationMs;
let count = 0;
while (performance.now() < end) {
  work(iterations);
  count++;
}
parentPort?.postMessage(count);
