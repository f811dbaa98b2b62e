import { createServer } from 'node:http';
import { tell } from './common.mjs';

process.on('SIGTERM', () => {
  throw new Error('thrown by a listener');
});
process.on('SIGTERM', async () => {
  throw new Error('rejected by a listener');
});
process.once('SIGTERM', () => tell('the next listener'));
createServer((_req, res) => res.end('ok')).listen(3000);
