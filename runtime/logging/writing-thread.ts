/** Runs in the thread of a `LogFile`: carries out its orders, and waits for the disk. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type FileOrder, type FileOutcome, LOG_FILE_PERMISSIONS } from './file-orders.ts';

let fd = workerData as number;

/** The system may write only a part of it. */
function append(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** The old file stays in use if the new one cannot be opened. */
function open(path: string): void {
  const old = fd;
  fd = openSync(path, 'a', LOG_FILE_PERMISSIONS);
  try {
    closeSync(old);
  } catch {
    // An error of the old file's disk no longer matters.
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
