/**
 * What the server does differently when a clinic tool has started it: the tool's data must be complete, and
 * must describe only this thread. Each measure responds to a line of clinic 13.0.0 or 0x 5.8.0. This module
 * is loaded only under these tools.
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
  /**
   * The server has ended well: lets clinic write its data, after which clinic ends the process. Resolves if
   * it does not.
   */
  finish(exitCode: number): Promise<void>;
}

/** Must be called before the first thread is started, and before the server listens for signals. */
export function beginUnderClinic(tool: ClinicTool): UnderClinic {
  dropSignalListeners();
  hideUnixSockets();
  if (tool === 'flame') {
    putMainIsolateFirst(process.execArgv, process.pid);
    // 0x only needs the process to end.
    return { finish: () => Promise.resolve() };
  }
  if (tool === 'doctor' || tool === 'bubbleprof') keepTraceLog();
  if (tool === 'bubbleprof') process.once('beforeExit', endWhenWritten);
  return {
    finish: async (exitCode) => {
      process.exitCode = exitCode;
      // All three tools wait for this event, because a program without handles of its own ends that way. Here
      // it never comes by itself.
      process.emit('beforeExit', exitCode);
      await delay(LAST_DATA_MS);
    },
  };
}

function keepTraceLog(): void {
  // An application in a thread cannot change either of them.
  const [options, directory] = [process.env.NODE_OPTIONS ?? '', process.cwd()];
  const folder = process.env[threadsVariable];
  const keepThread = (threadId: number, log: Buffer) => {
    if (folder !== undefined) writeFileSync(join(folder, eventsFile(threadId)), log, { mode: 0o600 });
  };
  process.once('exit', () => keepMainThreadsEvents(options, directory, keepThread));
}

/**
 * 0x ends the process at SIGINT and SIGTERM, and heapprofiler ends it at SIGINT when it has its profile: both
 * in the middle of exchanges. Without their listeners the server drains and ends by itself.
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
 * V8 writes a log for each isolate, so for each thread, and 0x takes the first by name. The names are
 * addresses. The main thread's address is the lowest seven times out of eight.
 */
function putMainIsolateFirst(execArgv: readonly string[], pid: number): void {
  const pattern = execArgv.find((flag) => flag.startsWith('--logfile='))?.slice('--logfile='.length);
  if (pattern === undefined) return;
  const directory = dirname(pattern);
  // No thread has been started yet, so this is the main thread's.
  const log = new RegExp(`^isolate-(?:0x)?[0-9a-f]+-${pid}-${pid}-v8\\.log$`, 'i');
  const name = readdirSync(directory).find((file) => log.test(file));
  if (name === undefined) return;
  try {
    renameSync(join(directory, name), join(directory, `isolate-0x00-${pid}-${pid}-v8.log`));
  } catch {
    // Windows cannot rename an open file, so there the result depends on chance.
  }
}

/**
 * bubbleprof waits for its file to close, which never happens: its hook writes for every write that begins,
 * and the stream loses count of its own bytes. The bytes are written anyway.
 */
async function endWhenWritten(): Promise<void> {
  const giveUpMs = performance.now() + LAST_DATA_MS;
  // Waits at least one turn, for what the stream begins now.
  do await delay(POLL_MS);
  while (process.getActiveResourcesInfo().includes('FSReqCallback') && performance.now() < giveUpMs);
  process.exit();
}

/**
 * With --on-port clinic looks for the first socket that listens. It uses a property of Node's handles that
 * Unix domain sockets do not have, so the first of those would end the process. This adds a socket that has
 * the property and on which nothing ever happens; clinic finds it and waits for the port.
 */
function hideUnixSockets(): void {
  // `connect` creates the handle synchronously.
  const socket = connect({ path: `${process.execPath}/none` }).on('error', () => undefined);
  const handle: unknown = '_handle' in socket ? socket._handle : null;
  socket.destroy();
  if (typeof handle !== 'object' || handle === null || 'owner' in handle) return;
  Object.defineProperty(Object.getPrototypeOf(handle), 'owner', {
    configurable: true,
    get: () => ({ once: () => undefined }),
  });
}
