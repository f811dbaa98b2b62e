/** Binds a server to an address of the configuration. */
import { lstatSync, unlinkSync } from 'node:fs';
import { type AddressInfo, connect, type ListenOptions, type Server } from 'node:net';
import type { FdAddress, TcpAddress, UnixAddress } from '../config/address.ts';
import { ListenError } from './listen-error.ts';

/** Connections that the kernel keeps for us between two turns. */
const backlog = 4_096;

/** `ip`: what the host's name has been resolved to. */
export type BindAddress = (TcpAddress & { readonly ip?: string }) | UnixAddress | FdAddress;

/** Where a server has come to listen. */
export interface Bound {
  /** Null: on a Unix domain socket. */
  readonly host: string | null;
  /** What the system chose when it was 0. */
  readonly port: number;
  /** Null: not on a Unix domain socket. */
  readonly path: string | null;
}

/**
 * @param permissions of a Unix domain socket; null leaves them to the umask
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
  // The file is made by bind(2), within this call, with what the umask leaves. Changing its mode afterwards would leave a
  // moment in which others can connect.
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
 * A process that was killed leaves its socket's file behind, and no other can bind there. The file goes only when it is a
 * socket and nobody listens on it any more.
 */
async function removeStale({ address, path }: UnixAddress): Promise<void> {
  const stat = lstatSync(path);
  if (!stat.isSocket()) throw new ListenError(address, 'a free path', 'a file that is no socket');
  if (await answers(path))
    throw new ListenError(address, 'a free path', 'a socket that a process listens on');
  unlinkSync(path);
}

/** Whether a process listens on the Unix domain socket at the path, as far as can be told. */
export async function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once('connect', () => resolve(true));
  // Anything but a refusal (no permission, a full backlog) may mean a living listener.
  socket.once('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

function boundTo(target: BindAddress, address: AddressInfo | string | null): Bound {
  if (typeof address === 'string') return { host: null, port: 0, path: address };
  // An inherited Unix domain socket has no name that Node could tell.
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

export function listenError({ address }: BindAddress, cause: unknown): Error {
  if (cause instanceof ListenError) return cause;
  const code = codeOf(cause);
  const came = Object.hasOwn(reasons, code) ? `${reasons[code]} (${code})` : String(cause);
  return new ListenError(address, 'a free address', came, { cause });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
