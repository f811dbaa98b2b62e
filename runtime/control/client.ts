/** The command line's side of the control socket: finds the server of a configuration and asks it, by HTTP/2. */
import { once } from 'node:events';
import { lstatSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { basename, join } from 'node:path';
import type { Config } from '../config/config.ts';
import { readVersion } from '../process/version.ts';
import { ControlCode, ControlRefusal, ControlSocketError, systemCode } from './errors.ts';
import { controlFolders, type Environment, otherFolders, requireOwn } from './folder.ts';
import { namesIn } from './socket.ts';
import { CONTROL_VERSION } from './version.ts';

/** Time for the server's SETTINGS. Its reactor is never busy for long. */
const ANSWER_MS = 5_000;

export interface ControlRequest {
  /** Sent as JSON; no body if absent. */
  readonly body?: unknown;
  /** Cancels the request, at the server too. */
  readonly signal?: AbortSignal;
}

export interface ControlReply {
  readonly status: number;
  readonly type: string;
  /** Yields pieces as they arrive. Throws if the answer is cut off. */
  readonly body: AsyncIterable<Buffer>;
}

export interface FindOptions {
  /** The server's process, if several servers run the configuration. */
  readonly pid?: number;
  readonly environment?: Environment;
}

/**
 * Connects to the only server that runs the configuration.
 * @throws ControlSocketError if there is none, or several, or it cannot be reached or has another version
 */
export async function connectControl(
  config: Pick<Config, 'file' | 'control'>,
  options: FindOptions = {},
): Promise<ControlClient> {
  const [first, ...others] = await connectControls(config, options);
  if (others.length === 0) return first;
  const all = [first, ...others];
  for (const client of all) client.close();
  const pids = all.map(({ path }) => pidOf(basename(path))).join(', ');
  throw new ControlSocketError(
    ControlCode.SeveralServers,
    `${config.file}: expected one server that runs it, found ${all.length}, of the processes ${pids}; say which by its process id, or give each a control.path of its own`,
  );
}

/**
 * Connects to all servers that run the configuration.
 * @throws ControlSocketError if there is none, or the only one cannot be reached
 */
export async function connectControls(
  { file, control }: Pick<Config, 'file' | 'control'>,
  { pid, environment = process.env }: FindOptions = {},
): Promise<[ControlClient, ...ControlClient[]]> {
  if (!control.enabled) {
    throw new ControlSocketError(
      ControlCode.Disabled,
      `${file}: control.enabled is false, so a server of it cannot be asked; set it to true and start the server again`,
    );
  }
  if (control.path !== null) return [await openOf(pid, control.path, file)];
  const found: ControlClient[] = [];
  let failure: unknown;
  for (const { name, path } of socketsOf(file, environment)) {
    if (pid !== undefined && pidOf(name) !== pid) continue;
    try {
      found.push(await ControlClient.open(path));
    } catch (error) {
      // A socket that a killed server left behind says nothing about the others.
      if (!(error instanceof ControlSocketError && error.code === ControlCode.NoServer)) failure ??= error;
    }
  }
  const [first, ...others] = found;
  if (first === undefined) throw failure ?? noServer(file, pid);
  return [first, ...others];
}

/** The socket's name does not tell the server's process, so the server is asked. */
async function openOf(pid: number | undefined, path: string, file: string): Promise<ControlClient> {
  const client = await ControlClient.open(path);
  if (pid === undefined) return client;
  const status = (await client.ask('GET', '/status')) as { readonly pid: number };
  if (status.pid === pid) return client;
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

export class ControlClient {
  readonly path: string;
  readonly #session: ClientHttp2Session;

  private constructor(path: string, session: ClientHttp2Session) {
    this.path = path;
    this.#session = session;
  }

  /** @throws ControlSocketError */
  static async open(path: string): Promise<ControlClient> {
    requireOwnSocket(path);
    const session = connect('http://sluice', { path });
    // Each stream reports the error too. Without a listener it would end the process.
    session.on('error', () => undefined);
    const silence = AbortSignal.timeout(ANSWER_MS);
    try {
      // Only its SETTINGS show that the other end speaks HTTP/2.
      await Promise.race([once(session, 'remoteSettings', { signal: silence }), refused(session)]);
    } catch (error) {
      session.destroy();
      throw connectError(path, error);
    }
    return new ControlClient(path, session);
  }

  /**
   * Resolves with the head of the answer, whatever its status.
   * @throws ControlSocketError if the server ends or has another version
   */
  async request(method: string, path: string, { body, signal }: ControlRequest = {}): Promise<ControlReply> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const stream = this.#session.request(
      {
        ':method': method,
        ':path': path,
        ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
      },
      { endStream: bytes === undefined, ...(signal && { signal }) },
    );
    if (bytes !== undefined) stream.end(bytes);
    try {
      const [head] = await Promise.race([once(stream, 'response'), closed(stream)]);
      this.#requireVersion(head);
      return {
        status: Number(head[':status']),
        type: String(head['content-type'] ?? ''),
        body: this.#pieces(stream),
      };
    } catch (error) {
      stream.on('error', () => undefined);
      stream.destroy();
      signal?.throwIfAborted();
      throw error instanceof ControlSocketError ? error : this.#lost(error);
    }
  }

  /**
   * Resolves with the answer's JSON.
   * @throws ControlRefusal if the server refuses
   */
  async ask(method: string, path: string, request: ControlRequest = {}): Promise<unknown> {
    const { status, body } = await this.request(method, path, request);
    const pieces: Buffer[] = [];
    for await (const piece of body) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    const value: unknown = text === '' ? undefined : JSON.parse(text);
    if (status >= 400) throw refusalOf(status, value);
    return value;
  }

  async *#pieces(stream: ClientHttp2Stream): AsyncIterable<Buffer> {
    try {
      yield* stream;
      // Node reports no error for a stream that was reset with CANCEL.
      if (stream.rstCode !== 0) throw new Error(`the answer was cut off (code ${stream.rstCode})`);
    } catch (error) {
      throw this.#lost(error);
    }
  }

  #requireVersion(head: Readonly<Record<string, unknown>>): void {
    const spoken = head['sluice-control'];
    if (spoken === String(CONTROL_VERSION)) return;
    const server = head['sluice-version'];
    const came =
      spoken === undefined ? 'what is no control socket of Sluice' : `${spoken}, of Sluice ${server}`;
    throw new ControlSocketError(
      ControlCode.OtherVersion,
      `${this.path}: expected a server that speaks version ${CONTROL_VERSION}, as this Sluice ${readVersion()} does, got ${came}; run the command of the server's own version`,
    );
  }

  #lost(cause: unknown): ControlSocketError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new ControlSocketError(
      ControlCode.Lost,
      `${this.path}: expected a whole answer, the server broke it off: it ends, or has ended (${why})`,
      { cause },
    );
  }

  /** Resolves when the connection has ended, whichever side ended it. */
  get closed(): Promise<void> {
    return this.#session.destroyed
      ? Promise.resolve()
      : new Promise((resolve) => this.#session.once('close', resolve));
  }

  /** Cuts off open requests. Idempotent. */
  close(): void {
    this.#session.destroy();
  }
}

async function refused(session: ClientHttp2Session): Promise<never> {
  await once(session, 'close');
  throw new Error('it was closed at once: as many connections are open as control.maxConnections allows');
}

function closed(stream: ClientHttp2Stream): Promise<never> {
  return once(stream, 'close').then(() => {
    throw new Error(`the stream was closed (code ${stream.rstCode})`);
  });
}

/** @throws ControlSocketError unless this user owns the socket: another user's server is not trusted */
function requireOwnSocket(path: string): void {
  const user = process.getuid?.();
  let owner: number;
  try {
    owner = lstatSync(path).uid;
  } catch (error) {
    throw connectError(path, error);
  }
  if (user === undefined || owner === user) return;
  throw new ControlSocketError(
    ControlCode.Forbidden,
    `${path}: expected a socket of user ${user}, who asks, got one of user ${owner}; ask as that user`,
  );
}

function connectError(path: string, cause: unknown): ControlSocketError {
  const code = systemCode(cause);
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK') {
    const came = code === 'ENOENT' ? 'no such file' : `one that nobody listens on (${code})`;
    const message = `${path}: expected the control socket of a server that runs, got ${came}; start the server`;
    return new ControlSocketError(ControlCode.NoServer, message, { cause });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const message = `${path}: this user may not connect (${code}); ask as the user who runs the server`;
    return new ControlSocketError(ControlCode.Forbidden, message, { cause });
  }
  if (code.startsWith('ERR_HTTP2')) {
    const message = `${path}: expected a control socket of Sluice, got what does not speak HTTP/2 (${code})`;
    return new ControlSocketError(ControlCode.OtherVersion, message, { cause });
  }
  const why = code === 'ABORT_ERR' ? `expected an answer within ${ANSWER_MS} ms, got none` : String(cause);
  return new ControlSocketError(ControlCode.Unavailable, `${path}: ${why}`, { cause });
}

function refusalOf(status: number, value: unknown): ControlRefusal {
  const { code, message } =
    (value as { error?: { code?: unknown; message?: unknown } } | undefined)?.error ?? {};
  return new ControlRefusal(
    status,
    String(code ?? ControlCode.Failed),
    String(message ?? `status ${status}`),
  );
}
