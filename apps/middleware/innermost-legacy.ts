/**
 * The legacy counterpart of innermost.ts: an Express application and `ws` on a server of node:http that never
 * listens. It uses what that interface offers: early hints, `X-Associated-Content` for a push, a body that is
 * echoed while it arrives, trailers, a WebSocket.
 */
import { createServer } from 'node:http';
import express from 'express';
import { WebSocketServer } from 'ws';
import { fromServer } from '../../workers/adapters/node/node.ts';

const app = express().disable('x-powered-by').disable('etag');

app.get('/style.css', (_req, res) => {
  res.type('css').send('main { color: teal }\n');
});

app.use((req, res, next) => {
  if (req.query.fail === 'early') {
    next(new Error('told to fail before the head'));
    return;
  }
  res.writeEarlyHints({ link: '</font.woff2>; rel=preload; as=font; crossorigin' });
  res.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'x-associated-content': '"/style.css"',
    trailer: 'x-echoed-bytes',
  });
  res.write(`${JSON.stringify({ method: req.method, path: req.originalUrl })}\n`);
  if (req.query.fail === 'late') {
    next(new Error('told to fail behind the head'));
    return;
  }
  let bytes = 0;
  req.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (!res.write(piece)) req.pause();
  });
  res.on('drain', () => req.resume());
  req.on('end', () => {
    res.addTrailers({ 'x-echoed-bytes': String(bytes) });
    res.end();
  });
});

const server = createServer(app);
new WebSocketServer({ server, maxPayload: 1024 }).on('connection', (socket, { method = '', url = '' }) => {
  socket.send(JSON.stringify({ method, path: url }));
  socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
});

export default fromServer(server);
