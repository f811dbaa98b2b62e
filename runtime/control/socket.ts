/** Creates the control socket, removes sockets that killed servers left behind, and removes its own at the end. */
import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { maxUnixPathBytes } from '../config/address.ts';
import { answers } from '../listeners/bind.ts';
import { ListenError } from '../listeners/listen-error.ts';
import { ControlCode, ControlSocketError, systemCode } from './errors.ts';
import { controlFolders, type Environment, folderError, makeOwnFolder, makeOwnFolders } from './folder.ts';

/** The server that listens on the socket. */
export interface SocketOwner {
  /** Listens on the path, replacing a socket that a killed server left there. */
  listen(path: string): Promise<void>;
}

export interface OpenSocket {
  readonly path: string;
  /** Removes the socket, and the folder of the configuration if it was the last. Synchronous and idempotent. */
  remove(): void;
}

/** Names to try for servers of a configuration with the same process id: several in one process, or containers that share a folder. */
const MOST_NAMESAKES = 64;
/** Folders of other configurations that one start cleans up. */
const MOST_SIBLINGS = 64;
/** Attempts: a server that ends removes the empty folder, possibly between the creation of the folder and of the socket. */
const TRIES = 4;

/**
 * Creates the socket at the path that the configuration names.
 * @throws ControlSocketError
 */
export async function openAt(path: string, owner: SocketOwner): Promise<OpenSocket> {
  requireShort(path);
  makeOwnFolder(dirname(path));
  requireFree(path);
  await listen(path, owner);
  return { path, remove: once(() => removeFile(path)) };
}

/**
 * Creates the socket in the first usable folder of those where clients look.
 * @param file the configuration's path
 * @throws ControlSocketError with the problem of the first folder, if none is usable
 */
export async function openIn(
  file: string,
  owner: SocketOwner,
  environment: Environment = process.env,
): Promise<OpenSocket> {
  let first: unknown;
  for (const folder of controlFolders(file, environment)) {
    try {
      return await openInFolder(folder, owner);
    } catch (error) {
      if (!(error instanceof ControlSocketError)) throw error;
      first ??= error;
    }
  }
  throw first;
}

async function openInFolder(folder: string, owner: SocketOwner): Promise<OpenSocket> {
  for (let tries = 1; ; tries++) {
    try {
      makeOwnFolders(folder);
      await clearStale(folder);
      const socket = await openFree(folder, owner);
      clearSiblings(folder).catch(() => {
        // The folder has been removed or cannot be read, so there is nothing to clean up.
      });
      return socket;
    } catch (error) {
      const isGone = error instanceof ControlSocketError && systemCode(error.cause) === 'ENOENT';
      if (!isGone || tries === TRIES) throw error;
    }
  }
}

async function openFree(folder: string, owner: SocketOwner): Promise<OpenSocket> {
  for (let number = 1; ; number++) {
    const path = join(folder, `${process.pid}${number === 1 ? '' : `-${number}`}.sock`);
    requireShort(path);
    try {
      await listen(path, owner);
    } catch (error) {
      const isTaken = error instanceof ControlSocketError && error.code === ControlCode.InUse;
      if (!isTaken || number === MOST_NAMESAKES) throw error;
      continue;
    }
    const remove = (): void => {
      removeFile(path);
      removeFolder(folder);
    };
    return { path, remove: once(remove) };
  }
}

async function listen(path: string, owner: SocketOwner): Promise<void> {
  try {
    await owner.listen(path);
    // The folder already keeps others out. The mode is set for people who list it; the umask belongs to the whole process, so it is not changed.
    chmodSync(path, 0o600);
  } catch (error) {
    if (error instanceof ListenError) {
      if (error.cause !== undefined && systemCode(error.cause) !== 'EADDRINUSE') {
        throw folderError(path, error.cause);
      }
      throw new ControlSocketError(
        ControlCode.InUse,
        `${path}: expected no other server on it, got one that answers; end it, or give each server a control.path of its own`,
        { cause: error },
      );
    }
    throw folderError(path, error);
  }
}

function requireShort(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= maxUnixPathBytes) return;
  throw new ControlSocketError(
    ControlCode.PathTooLong,
    `${path}: expected at most ${maxUnixPathBytes} bytes, which is what the system takes for a socket, got ${bytes}; set control.path to a shorter one`,
  );
}

function requireFree(path: string): void {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch {
    // Nothing is there, or the error will show when the socket is created.
    return;
  }
  if (isSocket) return;
  throw new ControlSocketError(
    ControlCode.NoSocket,
    `${path}: expected a socket or nothing, got a file that is no socket; remove it, or set another control.path`,
  );
}

/**
 * Removes what killed servers of other configurations left behind, because those configurations may never be started again. A few folders per
 * start are enough, and nothing waits for it.
 */
async function clearSiblings(folder: string): Promise<void> {
  const around = dirname(folder);
  for (const name of readdirSync(around).slice(0, MOST_SIBLINGS)) {
    const sibling = join(around, name);
    await clearStale(sibling);
    removeFolder(sibling);
  }
}

/** Removes the folder if it is empty; other servers of the configuration may have sockets in it. */
function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is not empty, or another server has removed it.
  }
}

/** Sockets that killed servers left behind. */
async function clearStale(folder: string): Promise<void> {
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    // A socket that has just been created refuses too, until its server listens, so the process is checked as well.
    if (isAlive(Number.parseInt(name, 10)) || (await answers(path))) continue;
    removeFile(path);
  }
}

/** Names of the sockets in a folder; none if it is missing. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d+(?:-\d+)?\.sock$/.test(name));
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process that may not be signalled exists, and is another user's.
    return systemCode(error) !== 'ESRCH';
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It has been removed already, or the file system is read-only by now. Then it stays, as after a kill, and the next start removes it.
  }
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}
