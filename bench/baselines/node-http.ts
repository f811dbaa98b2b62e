/** Baseline: one thread of `node:http`. Usage: node-http.ts PORT */
import { createServer } from 'node:http';
import { HELLO } from '../content.ts';

const body = Buffer.from(HELLO);

createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length });
  response.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
