/** Binds a server to an address of the configuration. */
import { lstatSync, unlinkSync } from 'node:fs';
import { type AddressInfo, connect, type ListenOptions, type Server } from 'node:net';
import type { FdAddress, TcpAddress, UnixAddress } from '../config/address.ts';
import { ListenError } from './listen-error.ts';

/** Connections that the kernel queues between two turns. */
const backlog = 4_096;

/** `ip`: the address that the host name resolved to. */
export type BindAddress = (TcpAddress & { readonly ip?: string }) | UnixAddress | FdAddress;

/** Where a server listens. */
export interface Bound {
  /** Null: on a Unix domain socket. */
  readonly host: string | null;
  /** The port that the system chose, if it was 0. */
  readonly port: number;
  /** Null: not on a Unix domain socket. */
  readonly path: string | null;
}

/**
 * @param permissions of a Unix domain socket; null: the umask decides
 * @throws ListenError
 */
export async function bind(server: Server, target: BindAddress, permissions: number | null): Promise<Bound> {
  try {
    await listen(server, target, permissions);
  } catch (error) {
    if (target.kind !== 'unix' || codeOf(error) !== 'EADDRINUSE') throw listenError(target, error);
    await removeStale(target);
    await listen(server, target, permissions).catch((again) => {
      throw listenError(target, again);
    });
  }
  return boundTo(target, server.address());
}

function listen(server: Server, target: BindAddress, permissions: number | null): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  const done = (): void => {
    server.off('error', reject);
    resolve();
  };
  if (target.kind !== 'unix' || permissions === null) {
    server.listen(optionsOf(target), done);
    return promise;
  }
  // bind(2) creates the file during this call, with the mode that the umask leaves. Changing its mode
  // afterwards would leave a moment in which others can connect.
  const umask = process.umask(0o777 & ~permissions);
  try {
    server.listen(optionsOf(target), done);
  } finally {
    process.umask(umask);
  }
  return promise;
}

function optionsOf(target: BindAddress): ListenOptions & { fd?: number } {
  switch (target.kind) {
    case 'tcp':
      return { host: target.ip ?? target.host, port: target.port, backlog };
    case 'unix':
      return { path: target.path, backlog };
    case 'fd':
      return { fd: target.fd, backlog };
  }
}

/**
 * A killed process leaves its socket's file behind, and no other process can bind there. The file is removed
 * only if it is a socket and no process listens on it any more.
 */
async function removeStale({ address, path }: UnixAddress): Promise<void> {
  const stat = lstatSync(path);
  if (!stat.isSocket()) throw new ListenError(address, 'a free path', 'a file that is no socket');
  if (await answers(path))
    throw new ListenError(
      address,
      'a free path',
      'a socket that a process listens on; end that process, or take another path',
    );
  unlinkSync(path);
}

/** Whether a process listens on the Unix domain socket at the path, as far as can be found out. */
export async function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once('connect', () => resolve(true));
  // Any error but a refusal (no permission, a full backlog) may mean that a process listens.
  socket.once('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

function boundTo(target: BindAddress, address: AddressInfo | string | null): Bound {
  if (typeof address === 'string') return { host: null, port: 0, path: address };
  // Node cannot tell the name of an inherited Unix domain socket.
  if (address === null) return { host: null, port: 0, path: '' };
  const host = target.kind === 'tcp' ? target.host : address.address;
  return { host, port: address.port, path: null };
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'one that a process listens on',
  EACCES: 'one that this user may not bind',
  EADDRNOTAVAIL: 'one that this machine does not have',
  ENOTFOUND: 'a name that does not resolve',
  ENOENT: 'a path whose directory does not exist',
  EBADF: 'a descriptor that is not open',
  EINVAL: 'a descriptor that is no socket to listen on',
  ENOTSOCK: 'a descriptor that is no socket',
};

const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE: '; end that process, or listen on another address (--port, or --address)',
};

export function listenError({ address }: BindAddress, cause: unknown): Error {
  if (cause instanceof ListenError) return cause;
  const code = codeOf(cause);
  const received = Object.hasOwn(reasons, code)
    ? `${reasons[code]} (${code})${remedies[code] ?? ''}`
    : String(cause);
  return new ListenError(address, 'a free address', received, { cause });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
