import http from 'node:http';

http.createServer((_req, res) => res.end('for nobody outside')).listen(9464, '127.0.0.1');
http.createServer((_req, res) => res.end('the application')).listen(3000);
