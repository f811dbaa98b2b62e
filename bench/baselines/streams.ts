/**
 * The baseline's request handler over `node:http2`'s stream API, the fastest way to serve HTTP/2 in Node.
 * Each response is written as a careful author would: a constant body, a known `content-length`, `pipeline`
 * and its backpressure for large bodies.
 */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { pipeline } from 'node:stream/promises';
import { HELLO, LIGHT, numberInPath } from '../content.ts';
import { work } from '../work.ts';
import { zeros } from './zeros.ts';

const hello = Buffer.from(HELLO);
const light = Buffer.from(LIGHT);

/** Does the work of the compute route on this thread, unless the server passes it to a pool. */
export type Compute = (iterations: number) => string | Promise<string>;

/** Returns a request handler; `compute` produces the response to `/compute/N`. */
export function streamHandler(
  compute: Compute = work,
): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void {
  return (stream, headers) => {
    // A benchmark ignores a peer that goes away in the middle of a stream.
    stream.on('error', () => {});
    const path = headers[':path'] as string;
    if (path === '/hello') return answer(stream, hello);
    if (path === '/light') return answer(stream, light);
    if (path.startsWith('/compute/')) {
      const result = compute(numberInPath(path));
      if (typeof result === 'string') return answer(stream, Buffer.from(result));
      result.then(
        (text) => answer(stream, Buffer.from(text)),
        () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
      );
      return;
    }
    if (path.startsWith('/download/')) return void download(stream, numberInPath(path));
    if (path === '/upload') return void upload(stream);
    if (path === '/endless') return void download(stream, Number.POSITIVE_INFINITY);
    if (path === '/hold') return; // neither reads nor answers
    stream.respond({ ':status': 404 }, { endStream: true });
  };
}

function answer(stream: ServerHttp2Stream, body: Buffer): void {
  if (stream.destroyed) return;
  stream.respond({ ':status': 200, 'content-type': 'text/plain', 'content-length': body.length });
  stream.end(body);
}

async function download(stream: ServerHttp2Stream, bytes: number): Promise<void> {
  stream.respond({
    ':status': 200,
    'content-type': 'application/octet-stream',
    ...(Number.isFinite(bytes) ? { 'content-length': bytes } : {}),
  });
  await pipeline(zeros(bytes), stream).catch(() => {
    // The client has gone, so no answer is needed.
  });
}

async function upload(stream: ServerHttp2Stream): Promise<void> {
  let bytes = 0;
  for await (const piece of stream) bytes += (piece as Buffer).length;
  answer(stream, Buffer.from(`${bytes}\n`));
}
