/**
 * Baseline: Express on the compatibility server of node:http2, one thread.
 * Usage: express-http2.ts PORT
 * Express puts prototypes of node:http under what it is given, whatever that is; here they are given the ones of node:http2,
 * without which it does not run there at all.
 */
import { createServer, Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import app from '../applications/frameworks/express.ts';

const port = Number(process.argv[2]);

Object.setPrototypeOf(Object.getPrototypeOf(app.request), Http2ServerRequest.prototype);
Object.setPrototypeOf(Object.getPrototypeOf(app.response), Http2ServerResponse.prototype);

const server = createServer(app as never);
server.on('sessionError', () => {
  // A client that was killed in mid-connection: its session is gone and nothing else is.
});
server.listen(port, '127.0.0.1');
