/**
 * Baseline: one thread of `node:http2`. Usage: node-http2.ts PORT [INITIAL_WINDOW_BYTES
 * CONNECTION_WINDOW_BYTES]
 *
 * The windows are set where large transfers are compared, so that both sides allow the same amount in flight.
 */
import { createServer } from 'node:http2';
import { streamHandler } from './streams.ts';

const [port, initialWindow, connectionWindow] = process.argv.slice(2).map(Number);

const server = createServer(
  initialWindow === undefined ? {} : { settings: { initialWindowSize: initialWindow } },
);
if (connectionWindow !== undefined) {
  server.on('session', (session) => session.setLocalWindowSize(connectionWindow));
}
server.on('stream', streamHandler());
server.on('sessionError', () => {
  // A client was killed in the middle of its connection: only its session is gone.
});
server.listen(port, '127.0.0.1');
