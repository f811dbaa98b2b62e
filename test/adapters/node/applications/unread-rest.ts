/** Handlers that answer a request which is still arriving. */
import { createServer } from 'node:http';

/** Of `/reading`, when it was complete. */
const read = Promise.withResolvers<number>();

export default createServer((req, res) => {
  if (req.url === '/listening') {
    req.on('end', () => undefined);
    req.on('close', () => undefined);
    req.socket.on('close', () => undefined);
  }
  if (req.url === '/reading') {
    let bytes = 0;
    res.setHeader('connection', 'close');
    req.on('data', (piece: Buffer) => {
      if (bytes === 0) res.end('answer');
      bytes += piece.length;
    });
    req.on('end', () => read.resolve(bytes));
    return;
  }
  if (req.url === '/read') {
    read.promise.then((bytes) => res.end(String(bytes)));
    return;
  }
  if (req.headers.ends !== undefined) res.setHeader('connection', 'close');
  res.end('answer');
});
