/**
 * What an application that was a program of its own asks about its process. A thread is started by a module of ours, so
 * `process.argv[1]` and `require.main` would name that one.
 */
import cluster from 'node:cluster';
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly code = 'SLUICE_CLUSTER_IN_THREAD';
}

/** @param application URL of its module */
export function becomeProgram(application: string): void {
  const file = realFile(application);
  process.argv[1] = file;
  const { cache } = createRequire(application);
  // `require.main` of a CommonJS module is this as it is when the module is compiled; then the cache has it already.
  Object.defineProperty(process, 'mainModule', {
    get: () => cache[file],
    configurable: true,
    enumerable: true,
  });
  allowSameDirectory();
  refuseCluster();
}

/** Every thread would fork as many processes as there are cores, and each of these the same again. */
function refuseCluster(): void {
  cluster.fork = () => {
    throw new ProgramError(
      'expected an application that leaves processes to Sluice, it calls cluster.fork(): start the server in this thread, ' +
        "as a worker of the cluster does, and set the pool's `threads` for the number of them",
    );
  };
}

/** Programs name their file by links as well; Node's caches do not. */
function realFile(application: string): string {
  const file = fileURLToPath(application);
  try {
    return realpathSync(file);
  } catch {
    // It is not there, which its import says better.
    return file;
  }
}

/** A thread has the process's directory and cannot change it. Programs that change to where they are need not hear of that. */
function allowSameDirectory(): void {
  const { chdir } = process;
  process.chdir = (directory) => {
    let target = directory;
    try {
      target = realpathSync(directory);
    } catch {
      // Node says what is wrong with it.
    }
    if (target !== process.cwd()) chdir.call(process, directory);
  };
}
