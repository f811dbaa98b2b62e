/** Opens the control socket at its place, clears away what killed servers have left there, and takes it away at the end. */
import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { maxUnixPathBytes } from '../config/address.ts';
import { answers } from '../listeners/bind.ts';
import { ListenError } from '../listeners/listen-error.ts';
import { ControlCode, ControlSocketError, systemCode } from './errors.ts';
import { controlFolders, type Environment, folderError, makeOwnFolder, makeOwnFolders } from './folder.ts';

/** What the socket is opened for. */
export interface SocketOwner {
  /** Listens on the path, over what a killed server has left there. */
  listen(path: string): Promise<void>;
}

export interface OpenSocket {
  readonly path: string;
  /** Takes the socket's file away, and the folder of the configuration when it was the last. Idempotent, synchronous. */
  remove(): void;
}

/** Servers of one configuration with one process id: those of one process, or of containers that share a folder. */
const MOST_NAMESAKES = 64;
/** Folders of configurations that are looked at in one start. */
const MOST_SIBLINGS = 64;
/** The folder may go between its making and the socket's: a server that ends takes it away when it is empty. */
const TRIES = 4;

/**
 * At the place that the configuration names, and nowhere else.
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
 * In the first folder that will do of those in which clients look.
 * @param file the configuration's path
 * @throws ControlSocketError of the first folder, when none does
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
        // The folder has gone meanwhile, or is not to be read: then there is nothing to clear.
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
    // The folder keeps others out. This is for those who look, as the umask is the whole process's and not for us to change.
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
    // Nothing is there, or what is wrong shows when the socket is made.
    return;
  }
  if (isSocket) return;
  throw new ControlSocketError(
    ControlCode.NoSocket,
    `${path}: expected a socket or nothing, got a file that is no socket; remove it, or set another control.path`,
  );
}

/**
 * What killed servers of other configurations have left: nobody may ever start those again. Some of it at each start is enough, and
 * nothing waits for it.
 */
async function clearSiblings(folder: string): Promise<void> {
  const around = dirname(folder);
  for (const name of readdirSync(around).slice(0, MOST_SIBLINGS)) {
    const sibling = join(around, name);
    await clearStale(sibling);
    removeFolder(sibling);
  }
}

/** If it is empty: other servers of a configuration have their sockets in it. */
function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is not empty, or another has taken it away.
  }
}

/** Sockets that killed servers have left. */
async function clearStale(folder: string): Promise<void> {
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    // One that is just being made refuses too, until its server listens: then that server is alive.
    if (isAlive(Number.parseInt(name, 10)) || (await answers(path))) continue;
    removeFile(path);
  }
}

/** The sockets in a folder by name; none if it is not there. */
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
    // One of another user's, by now.
    return systemCode(error) !== 'ESRCH';
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It has gone already, or the file system is read-only by now: it is stale then, as after a kill, and the next start clears it away.
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
