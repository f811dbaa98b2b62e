/**
 * Loaded into a measured server: on SIGUSR2 it prints the longest time that its main thread's event loop was
 * blocked since the previous signal.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const RESOLUTION_MS = 1;

if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on('SIGUSR2', () => {
    // The delay counts from the time at which the timer was due.
    process.stdout.write(`longest pause: ${(delay.max / 1e6 - RESOLUTION_MS).toFixed(1)} ms\n`);
    delay.reset();
  });
}
