/** What runs in the thread of a `LogFile`: it does as it is ordered, and waits for the disk. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type FileOrder, type FileOutcome, LOG_FILE_PERMISSIONS } from './file-orders.ts';

let fd = workerData as number;

/** The system may take a part of it. */
function append(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** The old file goes on if the new one cannot be opened. */
function open(path: string): void {
  const old = fd;
  fd = openSync(path, 'a', LOG_FILE_PERMISSIONS);
  try {
    closeSync(old);
  } catch {
    // What its disk may say now is of no use to anybody.
  }
}

function outcomeOf(order: FileOrder): FileOutcome {
  try {
    if (typeof order === 'string') open(order);
    else append(order);
    return { fd, error: null };
  } catch (error) {
    return { fd, error: error as Error };
  }
}

parentPort?.on('message', (order: FileOrder) => parentPort?.postMessage(outcomeOf(order)));
