/** As guides to deployment have it: no new requests, what is open ends, then the database, then the process. */
import { createServer } from 'node:http';
import { tell } from './common.mjs';

const server = createServer((req, res) => {
  if (req.method === 'GET') return void res.end('ok');
  res.write('begun');
  req.on('end', () => res.end(() => tell('answered'))).resume();
});
server.on('close', () => tell('close'));
process.on('SIGTERM', (signal, number) => {
  tell(`${signal} ${number}`);
  server.close(() => {
    tell('closed');
    // A connection that ends by a callback, with nothing else that says so.
    setImmediate(() => {
      tell('exit');
      process.exit(0);
    });
  });
});
// Something that nobody ends.
setInterval(() => undefined, 1_000);
server.listen(3000);
