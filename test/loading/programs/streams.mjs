import http2 from 'node:http2';

const server = http2.createServer();
server.on('stream', (stream) => stream.respond({ ':status': 200 }, { endStream: true }));
server.listen(3000);
