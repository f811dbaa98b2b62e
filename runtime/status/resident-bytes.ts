/** Resident memory of the process. */

/** The last value that could be read. */
let lastBytes = 0;

/**
 * The system tells it in a file, on Linux. A process that may open no more files gets the value from before: it
 * needs its memory limit guarded, and its metrics read, then as well.
 */
export function residentBytes(): number {
  try {
    lastBytes = process.memoryUsage.rss();
  } catch {
    // EMFILE or ENFILE, until files are closed.
  }
  return lastBytes;
}
