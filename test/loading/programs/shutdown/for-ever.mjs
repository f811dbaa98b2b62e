/** Something that nobody ends, and a listener that does not exit. */
import { createServer } from 'node:http';
import { tell } from './common.mjs';

setInterval(() => undefined, 1_000);
process.on('SIGTERM', () => tell('SIGTERM'));
createServer((_req, res) => res.end('ok')).listen(3000);
