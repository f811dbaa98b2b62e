import http from 'node:http';

const proxy = http.createServer((_req, res) => res.end());
proxy.on('connect', (req, socket) => {
  socket.write(`HTTP/1.1 200 Connection Established\r\nX-Url: ${req.url}\r\n\r\n`);
});
proxy.listen(3000);
