/**
 * Baseline: one thread of `node:http` with large bodies, `/download/BYTES` and `/upload`, and connections that
 * stay open while idle. Usage: node-http-bodies.ts PORT
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CHUNK_BYTES, HELLO, IDLE_TIMEOUT_MS, numberInPath } from '../content.ts';

const hello = Buffer.from(HELLO);
const chunk = Buffer.alloc(CHUNK_BYTES);

const server = createServer({ keepAliveTimeout: IDLE_TIMEOUT_MS }, (request, response) => {
  const path = request.url as string;
  if (path === '/upload') void upload(request, response);
  else if (path.startsWith('/download/')) void download(response, numberInPath(path));
  else answer(response, hello);
});
server.listen(Number(process.argv[2]), '127.0.0.1');

function answer(response: ServerResponse, body: Buffer): void {
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length });
  response.end(body);
}

async function upload(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let bytes = 0;
  for await (const piece of request) bytes += (piece as Buffer).length;
  answer(response, Buffer.from(`${bytes}\n`));
}

async function download(response: ServerResponse, bytes: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes });
  let left = bytes;
  const source = new Readable({
    highWaterMark: CHUNK_BYTES,
    read() {
      const size = Math.min(left, chunk.length);
      left -= size;
      this.push(size === 0 ? null : size === chunk.length ? chunk : chunk.subarray(0, size));
    },
  });
  await pipeline(source, response).catch(() => {
    // The client has gone, so there is nobody to tell.
  });
}
