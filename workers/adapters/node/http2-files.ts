/** `respondWithFile` and `respondWithFD` of a stream of node:http2, with the errors that it has. */
import { close, createReadStream, fstat, open, type Stats } from 'node:fs';
import { pipeline, type Writable } from 'node:stream';
import { coded } from './http2-headers.ts';

export interface FileHeaders {
  readonly [name: string]: unknown;
}

/** What a file is sent on. */
interface FileStream extends Writable {
  readonly headersSent: boolean;
  respond(
    headers: FileHeaders,
    options: { readonly waitForTrailers?: boolean; readonly endStream?: boolean },
  ): void;
}

interface Part {
  offset?: number;
  length?: number;
}

export interface FileOptions extends Part {
  /** Sees the headers before they are sent, may change them and the part, and by false takes the response for itself. */
  readonly statCheck?: (stat: Stats, headers: { [name: string]: unknown }, part: Part) => unknown;
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

/** The descriptor stays open: it is the application's. */
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
    const part: Part = { offset: options.offset ?? 0, length: options.length ?? -1 };
    const isTaken = options.statCheck?.call(stream, stat, headers, part) === false;
    // The peer may have gone meanwhile.
    if (isTaken || stream.headersSent || stream.destroyed) {
      release();
      return;
    }
    const { offset = 0 } = part;
    if (stat.isFile()) {
      const left = stat.size - offset;
      const length = part.length === undefined || part.length < 0 ? left : Math.min(left, part.length);
      headers['content-length'] = length;
      part.length = length;
    }
    stream.respond(headers, {
      waitForTrailers: options.waitForTrailers === true,
      endStream: part.length === 0,
    });
    if (part.length === 0) {
      release();
      return;
    }
    const end = stat.isFile() ? { start: offset, end: offset + (part.length as number) - 1 } : {};
    const content = createReadStream('', { fd: descriptor, autoClose: false, ...end });
    // An error has ended both, and the stream says which.
    pipeline(content, stream, release);
  });
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
