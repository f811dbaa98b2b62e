/** `respondWithFile` and `respondWithFD` of a node:http2 stream, with the errors of node:http2. */
import { close, createReadStream, fstat, open, type Stats } from 'node:fs';
import { pipeline, type Writable } from 'node:stream';
import { coded } from './http2-headers.ts';

export interface FileHeaders {
  readonly [name: string]: unknown;
}

/** The stream that a file is sent on. */
interface FileStream extends Writable {
  readonly headersSent: boolean;
  respond(
    headers: FileHeaders,
    options: { readonly waitForTrailers?: boolean; readonly endStream?: boolean },
  ): void;
}

export interface FileOptions {
  readonly offset?: number;
  readonly length?: number;
  /** Receives the headers before they are sent and may change them. If it returns false, it answers itself. */
  readonly statCheck?: (stat: Stats, headers: { [name: string]: unknown }) => unknown;
  readonly onError?: (error: Error) => void;
  readonly waitForTrailers?: boolean;
}

export function respondWithFile(
  stream: FileStream,
  path: string | Buffer | URL,
  headers: FileHeaders = {},
  options: FileOptions = {},
): void {
  open(path, 'r', (error, descriptor) => {
    if (error !== null) failed(stream, error, options);
    else send(stream, descriptor, { ...headers }, options, () => close(descriptor));
  });
}

/** The application closes the descriptor. */
export function respondWithFD(
  stream: FileStream,
  descriptor: number | { readonly fd: number },
  headers: FileHeaders = {},
  options: FileOptions = {},
): void {
  const number = typeof descriptor === 'number' ? descriptor : descriptor.fd;
  send(stream, number, { ...headers }, options, () => undefined);
}

function send(
  stream: FileStream,
  descriptor: number,
  headers: { [name: string]: unknown },
  options: FileOptions,
  release: () => void,
): void {
  fstat(descriptor, (error, stat) => {
    const why = error ?? unfit(stat, options);
    if (why !== null) {
      release();
      failed(stream, why, options);
      return;
    }
    const isTaken = options.statCheck?.call(stream, stat, headers) === false;
    // The peer may have left while the file was opened.
    if (isTaken || stream.headersSent || stream.destroyed) {
      release();
      return;
    }
    // An invalid offset makes `createReadStream` throw, and an exception in this callback would end the thread.
    try {
      sendPart(stream, descriptor, stat, headers, options, release);
    } catch (refused) {
      release();
      failed(stream, refused as Error, options);
    }
  });
}

function sendPart(
  stream: FileStream,
  descriptor: number,
  stat: Stats,
  headers: { [name: string]: unknown },
  { offset = 0, length = -1, waitForTrailers = false }: FileOptions,
  release: () => void,
): void {
  let range = {};
  if (stat.isFile()) {
    const left = Math.max(0, stat.size - offset);
    const bytes = length < 0 ? left : Math.min(left, length);
    headers['content-length'] = bytes;
    if (bytes === 0) {
      stream.respond(headers, { waitForTrailers, endStream: true });
      release();
      return;
    }
    range = { start: offset, end: offset + bytes - 1 };
  }
  const content = createReadStream('', { fd: descriptor, autoClose: false, ...range });
  stream.respond(headers, { waitForTrailers });
  // If reading or sending fails, `pipeline` destroys both streams, and the response's stream emits the error.
  pipeline(content, stream, release);
}

function unfit(stat: Stats, { offset, length }: FileOptions): Error | null {
  if (stat.isFile()) return null;
  if (stat.isDirectory()) return coded('ERR_HTTP2_SEND_FILE', 'Directories cannot be sent');
  if (offset === undefined && length === undefined) return null;
  return coded('ERR_HTTP2_SEND_FILE_NOSEEK', 'Offset or length can only be specified for regular files');
}

function failed(stream: FileStream, error: Error, { onError }: FileOptions): void {
  if (onError !== undefined) onError(error);
  else stream.destroy(error);
}
