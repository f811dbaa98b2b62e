/** Listens to no signal; others listen to the close of its server. */
import { createServer } from 'node:http';
import { tell } from './common.mjs';

const server = createServer((_req, res) => res.end('ok'));
server.on('close', () => tell('close'));
export default server;
