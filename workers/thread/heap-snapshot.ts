/**
 * Sends a snapshot of this thread's heap for a profile: pieces of JSON through a port, each when the receiver
 * has asked for it.
 */
import { getHeapSnapshot } from 'node:v8';
import type { MessagePort } from 'node:worker_threads';

/** Closes the port at the end; see `ThreadControl`. */
export async function sendHeapSnapshot(port: MessagePort): Promise<void> {
  let isWanted = true;
  let asked = Promise.withResolvers<void>();
  port.on('message', () => asked.resolve());
  // The receiver has closed the port and does not want the rest.
  port.on('close', () => {
    isWanted = false;
    asked.resolve();
  });
  const startMs = performance.now();
  let stoodStillMs = 0;
  try {
    for await (const piece of getHeapSnapshot()) {
      // V8 walks the heap during this call, and keeps the whole snapshot in memory before it returns the
      // first piece.
      if (stoodStillMs === 0) stoodStillMs = performance.now() - startMs;
      if (!isWanted) break;
      asked = Promise.withResolvers();
      port.postMessage(piece);
      await asked.promise;
    }
    port.postMessage(stoodStillMs);
  } finally {
    port.close();
  }
}
