/** A thread's memory, and how late its loop is, told in shared memory about once a second: nobody has to ask a thread that is busy. */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Vitals } from '../../wire/vitals.ts';

const EVERY_MS = 1_000;

/**
 * What is on the heap before a collection may be garbage for the greater part, so the heap is measured behind the large ones, and what was
 * there then is what lives. What hangs on it, Buffers above all, is told as it is.
 */
export function sampleMemory(vitals: Vitals): void {
  let dueMs = performance.now() + EVERY_MS;
  const sample = () => {
    const { external_memory: externalBytes, used_heap_size: heapBytes } = getHeapStatistics();
    vitals.measured(heapBytes, externalBytes);
  };
  sample();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    // How long whatever was due on the loop has had to wait for it.
    vitals.late(Math.max(0, nowMs - dueMs));
    dueMs = nowMs + EVERY_MS;
    sample();
  }, EVERY_MS);
  timer.unref();
  // A few times a second at most where much is allocated, and told behind the collection, so it costs nothing that shows.
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      vitals.collected(entry.duration);
      if (isLarge(entry)) vitals.collectedAll(getHeapStatistics().used_heap_size);
    }
  });
  observer.observe({ type: 'gc' });
}

function isLarge(entry: PerformanceEntry): boolean {
  const detail: unknown = 'detail' in entry ? entry.detail : null;
  return (
    typeof detail === 'object' &&
    detail !== null &&
    'kind' in detail &&
    detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR
  );
}
