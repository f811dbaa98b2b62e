/** `/hello` as a handler for node:http. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HELLO } from '../../content.ts';

const body = Buffer.from(HELLO);
const fields = { 'content-type': 'text/plain', 'content-length': String(body.length) };

export default function hello(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, fields);
  response.end(body);
}
