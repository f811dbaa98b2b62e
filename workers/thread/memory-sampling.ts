/**
 * Publishes a thread's memory and the delay of its event loop in shared memory about once a second, so the
 * reactor can read them without asking a busy thread.
 */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Vitals } from '../../wire/vitals.ts';

const EVERY_MS = 1_000;

/**
 * Before a collection, most of the heap may be garbage. The live heap is therefore measured after major
 * collections. Memory outside of the heap that its objects hold, mostly Buffers, is published as it is.
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
    // How late the event loop ran a timer that was due.
    vitals.late(Math.max(0, nowMs - dueMs));
    dueMs = nowMs + EVERY_MS;
    sample();
  }, EVERY_MS);
  timer.unref();
  // Even with many allocations this runs at most a few times a second, and after the collection, so its cost
  // is negligible.
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
