/**
 * Memory of the process as the system reports it, on Linux in a file. A process that cannot open another file gets
 * the previous value, so that the memory guard and the metrics keep working.
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
