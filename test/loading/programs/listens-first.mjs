import { createServer } from 'node:http';

const server = createServer();
server.listen(3000);
server.on('request', (_req, res) => res.end('listened first'));
