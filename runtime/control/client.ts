/** The command line's side of the control socket: asks a server by HTTP/2. `find.ts` finds the servers of a configuration. */
import { once } from 'node:events';
import { existsSync, lstatSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { readVersion } from '../process/version.ts';
import { ControlCode, ControlRefusal, ControlSocketError, systemCode } from './errors.ts';
import { CONTROL_VERSION } from './version.ts';

/** Time for the server's SETTINGS, and for an answer that needs no thread. Its reactor is never busy for long. */
const ANSWER_MS = 5_000;
/** More than any answer has; it bounds what something else at the path makes a command remember. */
const MOST_ANSWER_BYTES = 268_435_456;

/** Makes a signal that aborts when the server at the path has been silent for so long. */
export type Silence = (path: string, ms: number) => AbortSignal;

const timeout: Silence = (_path, ms) => AbortSignal.timeout(ms);

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

export class ControlClient {
  readonly path: string;
  readonly #session: ClientHttp2Session;
  readonly #silence: Silence;

  private constructor(path: string, session: ClientHttp2Session, silence: Silence) {
    this.path = path;
    this.#session = session;
    this.#silence = silence;
  }

  /**
   * @param silence tells when the server has been silent for too long, here and in `askSoon`
   * @throws ControlSocketError
   */
  static async open(path: string, silence: Silence = timeout): Promise<ControlClient> {
    requireOwnSocket(path);
    const session = connect('http://sluice', { path });
    // Each stream reports the error too. Without a listener it would end the process.
    session.on('error', () => undefined);
    try {
      // Only its SETTINGS show that the other end speaks HTTP/2.
      await Promise.race([
        once(session, 'remoteSettings', { signal: silence(path, ANSWER_MS) }),
        refused(session),
      ]);
    } catch (error) {
      session.destroy();
      throw connectError(path, error);
    }
    return new ControlClient(path, session, silence);
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
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > MOST_ANSWER_BYTES) throw this.#strange(`more than ${MOST_ANSWER_BYTES} bytes`);
      pieces.push(piece);
    }
    const value = this.#parse(Buffer.concat(pieces).toString());
    if (status >= 400) throw refusalOf(status, value);
    return value;
  }

  /**
   * As `ask`, for what the server answers at once.
   * @throws ControlSocketError also if there is no answer within `withinMs`: the process is stopped, or hangs
   */
  async askSoon(
    method: string,
    path: string,
    { signal, ...request }: ControlRequest = {},
    withinMs: number = ANSWER_MS,
  ): Promise<unknown> {
    const ends = new AbortController();
    const end = (): void => ends.abort();
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end);
    const silence = this.#silence(this.path, withinMs);
    silence.addEventListener('abort', end);
    try {
      return await this.ask(method, path, { ...request, signal: ends.signal });
    } catch (error) {
      signal?.throwIfAborted();
      if (!silence.aborted) throw error;
      throw new ControlSocketError(ControlCode.Unavailable, unanswered(this.path, withinMs), {
        cause: error,
      });
    } finally {
      silence.removeEventListener('abort', end);
      signal?.removeEventListener('abort', end);
    }
  }

  #parse(text: string): unknown {
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch {
      throw this.#strange(`text that begins with ${JSON.stringify(text.slice(0, 40))}`);
    }
  }

  #strange(came: string): ControlSocketError {
    const message = `${this.path}: expected an answer in JSON, got ${came}; run the command of the server's own version`;
    return new ControlSocketError(ControlCode.OtherVersion, message);
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
  throw new Error(
    'it was closed at once: the server ends, or as many connections are open as control.maxConnections allows',
  );
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
  // A server that ends removes its socket, perhaps while it is asked.
  const isGone = code === 'ENOENT' || !existsSync(path);
  if (isGone || code === 'ECONNREFUSED' || code === 'ENOTSOCK') {
    const came = isGone ? 'no such file' : `one that nobody listens on (${code})`;
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
  const message = code === 'ABORT_ERR' ? unanswered(path, ANSWER_MS) : `${path}: ${String(cause)}`;
  return new ControlSocketError(ControlCode.Unavailable, message, { cause });
}

function unanswered(path: string, withinMs: number): string {
  return `${path}: expected an answer within ${withinMs} ms, got none; is its process stopped (SIGSTOP), or its machine overloaded?`;
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
