/**
 * Memory of the process, as the system tells it: on Linux in a file. A process that may open no more files gets the
 * value from before. It needs its memory limit guarded, and its metrics read, then as well.
 */

/** The resident memory, in bytes. */
export const residentBytes = orFromBefore(() => process.memoryUsage.rss(), 0);

/** @param first what there is until something could be read */
export function orFromBefore<Value>(read: () => Value, first: Value): () => Value {
  let last = first;
  return () => {
    try {
      last = read();
    } catch {
      // EMFILE or ENFILE, until files are closed.
    }
    return last;
  };
}
