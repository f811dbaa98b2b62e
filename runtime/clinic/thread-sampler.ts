/**
 * Samples an application thread for doctor, in the thread itself: the delay and utilization of its event
 * loop, and its heap. NODE_OPTIONS loads it into every thread, because the command has put it there. On the
 * main thread clinic's own sampler does the same.
 *
 * A thread may end at any time without notice. So the samples are written to its file every quarter of a
 * second, as lines of JSON from which `doctor-threads.ts` makes clinic's format.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { isMainThread, threadId } from 'node:worker_threads';
import { orFromBefore } from '../status/memory-use.ts';
import { samplesFile, threadsVariable } from './thread-files.ts';

const INTERVAL_MS = 10;
const WRITE_EVERY_MS = 250;

/**
 * clinic counts handles and estimates from their number when the load began. What comes and goes with each
 * request must not count.
 */
const noHandle = /^(Timeout|Immediate)$|Req/;

/** An error in the timer would end the thread. */
const memoryUsage = orFromBefore(() => process.memoryUsage(), {
  rss: 0,
  heapTotal: 0,
  heapUsed: 0,
  external: 0,
  arrayBuffers: 0,
});

const folder = process.env[threadsVariable];
if (!isMainThread && folder !== undefined) sample(join(folder, samplesFile(threadId)));

function sample(file: string): void {
  const descriptor = openSync(file, 'w', 0o600);
  let lines: string[] = [];
  let last = take();
  let writtenAtMs = last.atMs;
  const write = (): void => {
    writeSync(descriptor, lines.join(''));
    lines = [];
    writtenAtMs = last.atMs;
  };
  const timer = setInterval(() => {
    const now = take();
    const elapsedMs = now.atMs - last.atMs;
    const cpuMs = (now.cpu.user + now.cpu.system - last.cpu.user - last.cpu.system) / 1_000;
    const line = {
      timestamp: Date.now(),
      delay: Math.max(0, elapsedMs - INTERVAL_MS),
      cpu: cpuMs / elapsedMs,
      memory: memoryUsage(),
      handles: process.getActiveResourcesInfo().filter((name) => !noHandle.test(name)).length,
      loopUtilization: performance.eventLoopUtilization(now.loop, last.loop).utilization * 100,
    };
    last = now;
    lines.push(`${JSON.stringify(line)}\n`);
    if (now.atMs - writtenAtMs >= WRITE_EVERY_MS) write();
  }, INTERVAL_MS);
  timer.unref();
  process.once('exit', () => {
    write();
    closeSync(descriptor);
  });
}

function take() {
  return {
    atMs: performance.now(),
    // Of the thread if Node can tell (from version 24 on), otherwise of the process.
    cpu: (process.threadCpuUsage ?? process.cpuUsage)(),
    loop: performance.eventLoopUtilization(),
  };
}
