/**
 * What the server does differently while one of clinic's tools has started it: its data must be whole, and of this thread.
 * Each point answers a line of clinic 13.0.0 or 0x 5.8.0. Nothing of this is loaded without them.
 */
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClinicTool } from './injected.ts';
import { eventsFile, threadsVariable } from './thread-files.ts';
import { keepMainThreadsEvents } from './trace-log.ts';

/** clinic writes the rest of a file, or the profile of a heap, before it ends the process. */
const LAST_DATA_MS = 10_000;
const POLL_MS = 10;

export interface UnderClinic {
  /** The server has ended well: lets clinic write what it has, which ends the process. Resolves when it does not. */
  finish(exitCode: number): Promise<void>;
}

/** Before the first thread is started, and before the server listens for signals. */
export function beginUnderClinic(tool: ClinicTool): UnderClinic {
  dropSignalListeners();
  hideUnixSockets();
  if (tool === 'flame') {
    putMainIsolateFirst(process.execArgv, process.pid);
    // 0x needs nothing more than the end of the process.
    return { finish: () => Promise.resolve() };
  }
  if (tool === 'doctor' || tool === 'bubbleprof') keepTraceLog();
  if (tool === 'bubbleprof') process.once('beforeExit', endWhenWritten);
  return {
    finish: async (exitCode) => {
      process.exitCode = exitCode;
      // All three wait for it, since a program without handles of its own ends so. It never comes by itself here.
      process.emit('beforeExit', exitCode);
      await delay(LAST_DATA_MS);
    },
  };
}

function keepTraceLog(): void {
  // An application in a thread may not change either.
  const [options, directory] = [process.env.NODE_OPTIONS ?? '', process.cwd()];
  const folder = process.env[threadsVariable];
  const keepThread = (threadId: number, log: Buffer) => {
    if (folder !== undefined) writeFileSync(join(folder, eventsFile(threadId)), log, { mode: 0o600 });
  };
  process.once('exit', () => keepMainThreadsEvents(options, directory, keepThread));
}

/**
 * 0x ends the process at SIGINT and SIGTERM, and heapprofiler at SIGINT when it has its profile: both in the middle of exchanges.
 * The server ends by itself, drained.
 */
function dropSignalListeners(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    for (const listener of process.rawListeners(signal)) {
      const inner: unknown = 'listener' in listener ? listener.listener : listener;
      if (typeof inner !== 'function') continue;
      const isHeapprofilers = inner.name === 'stopSampling';
      const is0xs = String(inner) === '() => process.exit()';
      if (isHeapprofilers || is0xs) process.off(signal, listener as () => void);
    }
  }
}

/**
 * V8 writes a log for each isolate, so for each thread, and 0x takes the first by name. The names are addresses: that of the main
 * thread's is mostly the lowest, and one time in eight it is not.
 */
function putMainIsolateFirst(execArgv: readonly string[], pid: number): void {
  const pattern = execArgv.find((flag) => flag.startsWith('--logfile='))?.slice('--logfile='.length);
  if (pattern === undefined) return;
  const directory = dirname(pattern);
  // No thread has been started, so this is the main thread's.
  const log = new RegExp(`^isolate-(?:0x)?[0-9a-f]+-${pid}-${pid}-v8\\.log$`, 'i');
  const name = readdirSync(directory).find((file) => log.test(file));
  if (name === undefined) return;
  try {
    renameSync(join(directory, name), join(directory, `isolate-0x00-${pid}-${pid}-v8.log`));
  } catch {
    // Windows renames no file that is open: there the chance stays.
  }
}

/**
 * bubbleprof waits for its file to close, which it never does: its hook writes for every write that begins, and the stream loses
 * count of its own bytes. They are written all the same.
 */
async function endWhenWritten(): Promise<void> {
  const giveUpMs = performance.now() + LAST_DATA_MS;
  // One turn, for what the stream begins now.
  do await delay(POLL_MS);
  while (process.getActiveResourcesInfo().includes('FSReqCallback') && performance.now() < giveUpMs);
  process.exit();
}

/**
 * With --on-port clinic looks for the first socket that listens, by a property of Node's handles that those of Unix domain sockets
 * do not have: the first of them would end the process. It finds one here on which nothing ever happens, and waits for the port.
 */
function hideUnixSockets(): void {
  // The handle is made within the call.
  const socket = connect({ path: `${process.execPath}/none` }).on('error', () => undefined);
  const handle: unknown = '_handle' in socket ? socket._handle : null;
  socket.destroy();
  if (typeof handle !== 'object' || handle === null || 'owner' in handle) return;
  Object.defineProperty(Object.getPrototypeOf(handle), 'owner', {
    configurable: true,
    get: () => ({ once: () => undefined }),
  });
}
