// `ws` attached to a server of node:http, as in its README, with what a chat needs.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer((_req, res) => res.end('an ordinary response'));
const wss = new WebSocketServer({
  server,
  path: '/attached/chat',
  maxPayload: 1_000_000,
  perMessageDeflate: { threshold: 100 },
  handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false),
  verifyClient: ({ req }, done) => {
    if (req.headers.authorization === 'nobody') done(false, 401, 'not you', { 'x-why': 'unknown' });
    else done(true);
  },
});

wss.on('connection', (ws, req) => {
  ws.on('error', () => undefined);
  ws.on('message', (data, isBinary) => {
    const text = isBinary ? '' : data.toString();
    if (text === 'facts') {
      const { url, httpVersion, socket } = req;
      ws.send(JSON.stringify({ url, httpVersion, address: socket.remoteAddress, clients: wss.clients.size }));
    } else if (text === 'ping') {
      ws.once('pong', (said) => ws.send(`pong ${said}`));
      ws.ping('there?');
    } else if (text === 'close') ws.close(4001, 'as you wish');
    else if (text === 'terminate') ws.terminate();
    else if (text === 'clients') ws.send(String(wss.clients.size));
    else ws.send(data, { binary: isBinary });
  });
});

server.listen(3000);

export function start({ draining }) {
  draining.addEventListener('abort', () => {
    for (const client of wss.clients) client.close(1001);
  });
}
