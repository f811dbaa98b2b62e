/** Behind a load balancer that keeps connections for 60 s. Answers with what it was warned of. */
import { createServer } from 'node:http';

const warnings = [];
process.on('warning', ({ code, message }) => warnings.push({ code, message }));
const server = createServer((_req, res) => res.end(JSON.stringify(warnings)));
server.keepAliveTimeout = 65_000;
server.maxRequestsPerSocket = 100;
server.maxHeaderSize = 20_000;
server.listen(3000);
