/**
 * Baseline: the cost of sockets alone. Counts the empty lines that end request heads and writes a constant
 * for each. Usage: bare-net.ts PORT
 */
import { createServer } from 'node:net';
import { HELLO } from '../content.ts';

const answer = `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${HELLO.length}\r\n\r\n${HELLO}`;

createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {
    // A client was killed in the middle of its connection.
  });
  socket.on('data', (chunk) => {
    let heads = 0;
    for (let at = chunk.indexOf('\r\n\r\n'); at !== -1; at = chunk.indexOf('\r\n\r\n', at + 4)) heads++;
    if (heads > 0) socket.write(answer.repeat(heads), 'latin1');
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
