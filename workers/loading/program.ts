/**
 * Makes the thread look like a process that was started with the application's module. A module of Sluice starts the thread, so
 * `process.argv[1]` and `require.main` would name that module otherwise.
 */
import cluster from 'node:cluster';
import { realpathSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';

export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly code: 'SLUICE_CLUSTER_IN_THREAD' | 'SLUICE_PROCESS_IN_THREAD';

  constructor(code: ProgramError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const OF_USER = 'start Sluice as that user, for example by User= and Group= of its systemd unit';

/** Node refuses these calls in a thread, since they would act on the whole process, and does not say what to do. */
const OF_PROCESS = {
  abort: 'throw an error, or call process.exit(), which ends this thread alone',
  chdir: 'start Sluice in that directory, or resolve paths against import.meta.dirname',
  umask: 'set it for the process that starts Sluice, for example by UMask= of its systemd unit',
  setuid: OF_USER,
  seteuid: OF_USER,
  setgid: OF_USER,
  setegid: OF_USER,
  setgroups: OF_USER,
  initgroups: OF_USER,
} as const;

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
  for (const [name, instead] of Object.entries(OF_PROCESS)) sayInstead(name, instead);
  refuseCluster();
  // For `import { fork } from 'node:cluster'`, whose names were taken before.
  syncBuiltinESMExports();
}

function sayInstead(name: string, instead: string): void {
  const members = process as never as { [name: string]: unknown };
  const own = members[name];
  // Some systems lack some of them.
  if (typeof own !== 'function') return;
  const call = (...args: unknown[]): unknown => {
    try {
      return Reflect.apply(own, process, args);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_WORKER_UNSUPPORTED_OPERATION') throw error;
      const expected = `expected an application that leaves its process alone, it calls process.${name}(): ${instead}`;
      throw new ProgramError('SLUICE_PROCESS_IN_THREAD', expected, error);
    }
  };
  members[name] = call;
}

/** Each thread would fork one process per core, and each of those would do the same again. */
function refuseCluster(): void {
  cluster.fork = () => {
    throw new ProgramError(
      'SLUICE_CLUSTER_IN_THREAD',
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
