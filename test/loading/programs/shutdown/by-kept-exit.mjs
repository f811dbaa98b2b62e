/** Ends at once when it is told to, by a function that it has kept since it was loaded. */
import { createServer } from 'node:http';
import { exit } from 'node:process';
import { tell } from './common.mjs';

const server = createServer((req, res) => {
  if (req.method === 'GET') return void res.end('ok');
  res.write('begun');
  req.on('end', () => res.end(() => tell('answered'))).resume();
});
process.on('SIGTERM', () => {
  tell('exit');
  exit(0);
});
server.listen(3000);
