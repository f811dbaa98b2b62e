import http2 from 'node:http2';

const server = http2.createServer();
server.on('stream', (stream, headers) => {
  stream.respond({ ':status': 200 });
  stream.end(`a stream of ${headers[':path']}`);
});
server.listen(3000);
