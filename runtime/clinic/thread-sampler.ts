/**
 * Samples an application's thread for doctor, in the thread itself: its event loop's delay and utilization, and its heap. Loaded into
 * every thread by NODE_OPTIONS, where the command has put it; on the main thread clinic's own sampler does that.
 *
 * A thread may be ended at any time and without a last word, so every quarter of a second what there is goes to its file: the lines of
 * JSON that `doctor-threads.ts` makes clinic's format of.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { isMainThread, threadId } from 'node:worker_threads';
import { samplesFile, threadsVariable } from './thread-files.ts';

const INTERVAL_MS = 10;
const WRITE_EVERY_MS = 250;

/** clinic counts handles, and guesses from their number when the load began: what comes and goes with each request is none. */
const noHandle = /^(Timeout|Immediate)$|Req/;

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
      memory: process.memoryUsage(),
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
    // Of the thread where Node can tell (from version 24 on), else of the process.
    cpu: (process.threadCpuUsage ?? process.cpuUsage)(),
    loop: performance.eventLoopUtilization(),
  };
}
