/** Reads as no reader of ours does: it waits for a pipe, as others may for a disk. */
import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

// One call of Node's: nobody can end the thread between opening and reading.
readFileSync((workerData as readonly string[])[0] as string, 'utf8');
