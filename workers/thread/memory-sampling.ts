/**
 * Publishes a thread's memory, and how late its event loop is, in shared memory about once a second: nobody
 * has to ask a thread that is busy.
 */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Vitals } from '../../wire/vitals.ts';

const EVERY_MS = 1_000;

/**
 * Before a collection, most of the heap may be garbage. So the heap is measured after the large collections,
 * when what is left is alive. Memory that hangs on it, Buffers above all, is published as it is.
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
    // How long something that was due on the event loop has had to wait.
    vitals.late(Math.max(0, nowMs - dueMs));
    dueMs = nowMs + EVERY_MS;
    sample();
  }, EVERY_MS);
  timer.unref();
  // Where much is allocated, this happens a few times a second at most, and after the collection, so its cost
  // does not show.
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
