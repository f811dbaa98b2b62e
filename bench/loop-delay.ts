/**
 * Loaded into a server that is measured: on SIGUSR2 it says for how long its main thread's event loop has stood still at most since the
 * signal before.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const RESOLUTION_MS = 1;

if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on('SIGUSR2', () => {
    // It counts from the time at which its timer should have come.
    process.stdout.write(`longest pause: ${(delay.max / 1e6 - RESOLUTION_MS).toFixed(1)} ms\n`);
    delay.reset();
  });
}
