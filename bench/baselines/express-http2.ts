/**
 * Baseline: Express on the compatibility server of node:http2, one thread. Usage: express-http2.ts PORT
 *
 * Express sets prototypes of node:http on every request and response. Here they are replaced by those of
 * node:http2, without which Express does not run there at all.
 */
import { createServer, Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import app from '../applications/frameworks/express.ts';

const port = Number(process.argv[2]);

Object.setPrototypeOf(Object.getPrototypeOf(app.request), Http2ServerRequest.prototype);
Object.setPrototypeOf(Object.getPrototypeOf(app.response), Http2ServerResponse.prototype);

const server = createServer(app as never);
server.on('sessionError', () => {
  // A client was killed in the middle of its connection: only its session is gone.
});
server.listen(port, '127.0.0.1');
