/**
 * A client that sends bytes unchanged and reads responses as they arrive, for messages that no well-behaved
 * client sends.
 */
import { connect, type Socket } from 'node:net';
import type { Scope } from '../server/harness.ts';

export interface RawResponse {
  readonly status: number;
  readonly statusLine: string;
  /** By lower-case name; the last one of a repeated field. */
  readonly fields: { readonly [name: string]: string };
  readonly body: string;
  readonly trailers: string;
}

export class RawClient {
  readonly #socket: Socket;
  readonly #closed = Promise.withResolvers<void>();
  #text = '';
  #isClosed = false;
  #hadError = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#text += text;
      this.#wake();
    });
    socket.on('error', () => {
      this.#hadError = true;
    });
    socket.on('close', () => {
      this.#isClosed = true;
      this.#closed.resolve();
      this.#wake();
    });
  }

  static async connect(scope: Scope, port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false });
    const client = new RawClient(socket);
    scope.teardown(() => socket.destroy());
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    return client;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Each character is one byte. */
  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** Resolves when the socket has taken everything that was sent. */
  sendAll(text: string): Promise<void> {
    return new Promise((resolve) => this.#socket.write(text, 'latin1', () => resolve()));
  }

  end(): void {
    this.#socket.end();
  }

  /** Sends the FIN behind everything; resolves when the system has both. */
  endAll(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(resolve));
  }

  /** Goes away, as a process that ends does. */
  destroy(): void {
    this.#socket.destroy();
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  get text(): string {
    return this.#text;
  }

  /** Resolves with the bytes received when the server has closed its side. */
  async untilClosed(): Promise<string> {
    await this.#closed.promise;
    return this.#text;
  }

  /** Whether the connection ended by a reset and not in order. */
  get wasReset(): boolean {
    return this.#hadError;
  }

  /** Resolves when the text has arrived; rejects if the connection ends first. */
  async until(text: string): Promise<void> {
    while (!this.#text.includes(text)) {
      if (this.#isClosed)
        throw new Error(`closed before ${JSON.stringify(text)}: ${JSON.stringify(this.#text)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Takes the next response, final or interim, from the received bytes. A response to HEAD has no body. */
  async response(method = 'GET'): Promise<RawResponse> {
    for (;;) {
      const parsed = parse(this.#text, method, this.#isClosed);
      if (parsed !== null) {
        this.#text = this.#text.slice(parsed.length);
        return parsed.response;
      }
      if (this.#isClosed) throw new Error(`closed within a response: ${JSON.stringify(this.#text)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

interface Parsed {
  readonly response: RawResponse;
  readonly length: number;
}

function parse(text: string, method: string, isClosed: boolean): Parsed | null {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) throw new Error(`no status line: ${JSON.stringify(statusLine)}`);
  const fields = fieldsOf(lines);
  const head = { status, statusLine, fields };
  const from = end + 4;
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') {
    return { response: { ...head, body: '', trailers: '' }, length: from };
  }
  if (fields['transfer-encoding'] === 'chunked') return parseChunked(text, from, head);
  const length = fields['content-length'];
  if (length === undefined) {
    return isClosed
      ? { response: { ...head, body: text.slice(from), trailers: '' }, length: text.length }
      : null;
  }
  const to = from + Number(length);
  return text.length < to
    ? null
    : { response: { ...head, body: text.slice(from, to), trailers: '' }, length: to };
}

function fieldsOf(lines: readonly string[]): { [name: string]: string } {
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

function parseChunked(
  text: string,
  from: number,
  head: Omit<RawResponse, 'body' | 'trailers'>,
): Parsed | null {
  let body = '';
  for (let at = from; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size > 0) {
      if (text.length < at + size + 2) return null;
      body += text.slice(at, at + size);
      at += size + 2;
      continue;
    }
    if (text.startsWith('\r\n', at)) return { response: { ...head, body, trailers: '' }, length: at + 2 };
    const end = text.indexOf('\r\n\r\n', at);
    if (end === -1) return null;
    return { response: { ...head, body, trailers: text.slice(at, end) }, length: end + 4 };
  }
}

/** A request message: lines with their ends, and a body. */
export function message(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
