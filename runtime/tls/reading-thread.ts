/** The thread of a `FileReader`: it reads one file after the other and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { readTlsFile } from './files.ts';

export type FileOutcome =
  | { readonly path: string; readonly bytes: Uint8Array }
  | { readonly path: string; readonly bytes: null; readonly reason: string };

function outcomeOf(path: string): FileOutcome {
  try {
    return { path, bytes: readTlsFile(path) };
  } catch (error) {
    return { path, bytes: null, reason: error instanceof Error ? error.message : String(error) };
  }
}

for (const path of workerData as readonly string[]) parentPort?.postMessage(outcomeOf(path));
