/** Finds the servers of a configuration by their control sockets. */
import { basename, join } from 'node:path';
import type { Config } from '../config/config.ts';
import { ControlClient, type Silence } from './client.ts';
import { ControlCode, ControlSocketError } from './errors.ts';
import { controlFolders, type Environment, otherFolders, requireOwn } from './folder.ts';
import { namesIn } from './socket.ts';

export interface FindOptions {
  /** The server's process, if several servers run the configuration. */
  readonly pid?: number;
  readonly environment?: Environment;
  /** Default: by the clock. */
  readonly silence?: Silence;
}

export interface UnreachedServer {
  readonly path: string;
  readonly why: ControlSocketError;
}

/** The servers that run a configuration. */
export interface FoundServers {
  /** At least one. */
  readonly clients: readonly [ControlClient, ...ControlClient[]];
  /** The others: one that does not answer, or has another version. */
  readonly unreached: readonly UnreachedServer[];
}

/**
 * Connects to the only server that runs the configuration.
 * @throws ControlSocketError if there is none, or several, or it cannot be reached or has another version
 */
export async function connectControl(
  config: Pick<Config, 'file' | 'control'>,
  options: FindOptions = {},
): Promise<ControlClient> {
  const { clients, unreached } = await findServers(config, options);
  const [first] = clients;
  const count = clients.length + unreached.length;
  if (count === 1) return first;
  for (const client of clients) client.close();
  const pids = [...clients, ...unreached].map(({ path }) => pidOf(basename(path))).join(', ');
  throw new ControlSocketError(
    ControlCode.SeveralServers,
    `${config.file}: expected one server that runs it, found ${count}, of the processes ${pids}; say which by its process id, or give each a control.path of its own`,
  );
}

/**
 * Connects to all servers that run the configuration.
 * @throws ControlSocketError if there is none, or none can be reached
 */
export async function findServers(
  { file, control }: Pick<Config, 'file' | 'control'>,
  { pid, environment = process.env, silence }: FindOptions = {},
): Promise<FoundServers> {
  if (!control.enabled) {
    throw new ControlSocketError(
      ControlCode.Disabled,
      `${file}: control.enabled is false, so a server of it cannot be asked; set it to true and start the server again`,
    );
  }
  if (control.path !== null)
    return { clients: [await openOf(pid, control.path, file, silence)], unreached: [] };
  const sockets = socketsOf(file, environment).filter(({ name }) => pid === undefined || pidOf(name) === pid);
  // At the same time, because one that does not answer takes seconds.
  const opened = await Promise.allSettled(sockets.map(({ path }) => ControlClient.open(path, silence)));
  const found: ControlClient[] = [];
  const unreached: UnreachedServer[] = [];
  for (const [index, each] of opened.entries()) {
    if (each.status === 'fulfilled') found.push(each.value);
    else if (!(each.reason instanceof ControlSocketError)) throw each.reason;
    // A socket that a killed server left behind says nothing about the others.
    else if (each.reason.code !== ControlCode.NoServer)
      unreached.push({ path: sockets[index]?.path ?? '', why: each.reason });
  }
  const [first, ...others] = found;
  if (first === undefined) throw unreached[0]?.why ?? noServer(file, pid);
  return { clients: [first, ...others], unreached };
}

/** The socket's name does not tell the server's process, so the server is asked. */
async function openOf(
  pid: number | undefined,
  path: string,
  file: string,
  silence: Silence | undefined,
): Promise<ControlClient> {
  const client = await ControlClient.open(path, silence);
  if (pid === undefined) return client;
  try {
    const status = (await client.askSoon('GET', '/status')) as { readonly pid: number };
    if (status.pid === pid) return client;
  } catch (error) {
    client.close();
    throw error;
  }
  client.close();
  throw noServer(file, pid);
}

function noServer(file: string, pid: number | undefined): ControlSocketError {
  const which = pid === undefined ? 'a server' : `a server in process ${pid}`;
  const user = process.getuid?.();
  const who = user === undefined ? '' : ` as user ${user}`;
  return new ControlSocketError(
    ControlCode.NoServer,
    `${file}: expected ${which} that runs it${who}, found none; start it, ask as the user who runs it, or set control.path if it has another temporary folder`,
  );
}

/** The sockets of the configuration in every folder that only this user can write to. In other folders, any user could have created one. */
function socketsOf(
  file: string,
  environment: Environment,
): { readonly name: string; readonly path: string }[] {
  const folders = new Set([...controlFolders(file, environment), ...otherFolders(file)]);
  return [...folders]
    .filter(isOwn)
    .flatMap((folder) => namesIn(folder).map((name) => ({ name, path: join(folder, name) })));
}

function isOwn(folder: string): boolean {
  try {
    requireOwn(folder);
    return true;
  } catch {
    // The folder is missing or belongs to another user, so no server of this user has a socket in it.
    return false;
  }
}

function pidOf(name: string): number {
  return Number.parseInt(name, 10);
}
