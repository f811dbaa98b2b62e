/**
 * Baseline: one thread of `node:http` with large bodies, `/download/BYTES` and `/upload`, and connections that
 * stay open while idle. Usage: node-http-bodies.ts PORT
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { HELLO, IDLE_TIMEOUT_MS, numberInPath } from '../content.ts';
import { zeros } from './zeros.ts';

const hello = Buffer.from(HELLO);

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
  await pipeline(zeros(bytes), response).catch(() => {
    // The client has gone, so there is nobody to tell.
  });
}
