/**
 * Makes the thread look like a process that was started with the application's module. A module of Sluice starts the thread, so
 * `process.argv[1]` and `require.main` would name that module otherwise.
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
  // Node reads this for `require.main` when it compiles a CommonJS module. By then the cache has the module.
  Object.defineProperty(process, 'mainModule', {
    get: () => cache[file],
    configurable: true,
    enumerable: true,
  });
  allowSameDirectory();
  refuseCluster();
}

/** Each thread would fork one process per core, and each of those would do the same again. */
function refuseCluster(): void {
  cluster.fork = () => {
    throw new ProgramError(
      'expected an application that leaves processes to Sluice, it calls cluster.fork(): start the server in this thread, ' +
        "as a worker of the cluster does, and set the pool's `threads` for the number of them",
    );
  };
}

/** A program may be named by a link; Node's module cache uses the real path. */
function realFile(application: string): string {
  const file = fileURLToPath(application);
  try {
    return realpathSync(file);
  } catch {
    // The file is missing; the import reports it with more detail.
    return file;
  }
}

/** A thread cannot change the process's working directory. Changing to the current one does nothing, so it is allowed. */
function allowSameDirectory(): void {
  const { chdir } = process;
  process.chdir = (directory) => {
    let target = directory;
    try {
      target = realpathSync(directory);
    } catch {
      // Node's own `chdir` reports what is wrong with the directory.
    }
    if (target !== process.cwd()) chdir.call(process, directory);
  };
}
