/**
 * Chooses the folders of control sockets, and ensures that only this user can enter them.
 *
 *   $XDG_RUNTIME_DIR or the temporary folder        not ours; others may write there if it is sticky
 *   └─ sluice-UID/                                  ours, 0700
 *      └─ 4f1d…/                                    one for each configuration, by its path: ours, 0700
 *         └─ PID.sock                               one for each server that runs it
 *
 * Some systems ignore the mode of a socket, and it can be set only after the socket has been created. A folder that only its owner may enter
 * protects it on every system and at every moment. Each server has a socket of its own, so several servers of one configuration (a test beside a server, or one
 * that starts while another drains) do not collide.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, type Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { ControlCode, ControlSocketError, systemCode } from './errors.ts';

export interface Environment {
  readonly XDG_RUNTIME_DIR?: string | undefined;
  readonly TMPDIR?: string | undefined;
}

const OTHERS = 0o077;
const WRITE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
/** Long enough that no two configurations of a user collide, and short because the path of a socket is limited. */
const HASH_CHARACTERS = 16;

/**
 * The folders where sockets of a configuration may be, in the order in which a server tries them. A client looks in all of them, because the
 * server may have been started in another environment.
 * @param file the configuration's absolute path
 */
export function controlFolders(file: string, environment: Environment = process.env): string[] {
  const user = userId();
  const name = createHash('sha256').update(file).digest('hex').slice(0, HASH_CHARACTERS);
  const bases = new Set<string>();
  const { XDG_RUNTIME_DIR: runtime, TMPDIR: temporary } = environment;
  // The XDG specification says that relative paths are to be ignored.
  if (runtime && isAbsolute(runtime)) bases.add(resolve(runtime));
  bases.add(temporary ? resolve(temporary) : tmpdir());
  return [...bases].map((base) => join(base, `sluice-${user}`, name));
}

/** Further folders that only clients look in, because servers with another environment use them. */
export function otherFolders(file: string): string[] {
  const user = userId();
  return ['/tmp', `/run/user/${user}`].flatMap((base) => controlFolders(file, { TMPDIR: base }));
}

/** Windows has no numeric users, so all count as the same. */
function userId(): number {
  return process.getuid?.() ?? 0;
}

/**
 * Creates a folder of `controlFolders` and its parent, or checks that only this user can enter them.
 * @throws ControlSocketError
 */
export function makeOwnFolders(folder: string): void {
  makeOwnFolder(dirname(folder));
  makeOwnFolder(folder);
}

/**
 * Creates a folder that only its owner may enter, or checks that it is one. Its parent must exist.
 * @throws ControlSocketError
 */
export function makeOwnFolder(folder: string): void {
  try {
    // The umask only removes bits from this mode.
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw folderError(folder, error);
  }
  requireOwn(folder);
}

/** @throws ControlSocketError unless this user owns the folder, and no other user may enter or replace it */
export function requireOwn(folder: string): void {
  const found = statOf(folder);
  if (!found.isDirectory())
    throw unsafe(folder, 'a folder', 'something else', 'remove it, or set control.path');
  requireOwner(folder, found, 'set control.path to a place in a folder of your own');
  if ((found.mode & OTHERS) !== 0) {
    throw unsafe(folder, 'mode 0700', `mode 0${(found.mode & 0o7777).toString(8)}`, `chmod 700 ${folder}`);
  }
  const around = dirname(folder);
  const parent = statOf(around);
  if ((parent.mode & WRITE_BY_OTHERS) !== 0 && (parent.mode & STICKY) === 0) {
    const received = `mode 0${(parent.mode & 0o7777).toString(8)}: others may put another folder in the place of ${folder}`;
    throw unsafe(around, 'a folder that others may not write to', received, `chmod o-w,g-w ${around}`);
  }
}

function statOf(path: string): Stats {
  try {
    return lstatSync(path);
  } catch (error) {
    throw folderError(path, error);
  }
}

function requireOwner(folder: string, { uid }: Stats, hint: string): void {
  const user = process.getuid?.();
  if (user === undefined || uid === user) return;
  throw unsafe(folder, `a folder of user ${user}, who runs this`, `one of user ${uid}`, hint);
}

function unsafe(folder: string, expected: string, received: string, hint: string): ControlSocketError {
  const message = `${folder}: expected ${expected}, got ${received}; ${hint}`;
  return new ControlSocketError(ControlCode.FolderUnsafe, message);
}

const reasons: Readonly<Record<string, readonly [code: ControlCode, why: string, hint: string]>> = {
  EACCES: [
    ControlCode.Forbidden,
    'this user may not write there',
    'set control.path to a folder of your own',
  ],
  EPERM: [ControlCode.Forbidden, 'this user may not write there', 'set control.path to a folder of your own'],
  EROFS: [
    ControlCode.ReadOnly,
    'the file system is read-only',
    'mount a tmpfs and set control.path into it, or set control.enabled to false',
  ],
  ENOENT: [ControlCode.Unavailable, 'the folder around it does not exist', 'make it, or set control.path'],
  ENOTDIR: [ControlCode.Unavailable, 'what is around it is no folder', 'set control.path'],
  ENOSPC: [ControlCode.Unavailable, 'there is no room on the disk', 'make room, or set control.path'],
};

/** A system error about a folder or a socket, in words. */
export function folderError(path: string, cause: unknown): ControlSocketError {
  if (cause instanceof ControlSocketError) return cause;
  const [code, why, hint] = reasons[systemCode(cause)] ?? [
    ControlCode.Unavailable,
    String(cause),
    'set control.path, or set control.enabled to false',
  ];
  return new ControlSocketError(code, `${path}: ${why} (${systemCode(cause)}); ${hint}`, { cause });
}
