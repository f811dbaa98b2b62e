/** A Node handler whose responses say what becomes of the connection, each in one of the ways that Node has. */
import type { IncomingMessage, ServerResponse } from 'node:http';

const ways: { readonly [path: string]: (res: ServerResponse) => void } = {
  '/field': (res) => res.setHeader('Connection', 'close'),
  '/list': (res) => res.setHeader('connection', 'x-own, Close'),
  '/write-head': (res) => res.writeHead(200, { Connection: 'close' }),
  '/raw-head': (res) => res.writeHead(200, ['Connection', 'close']),
  '/property': (res) => {
    res.shouldKeepAlive = false;
  },
  '/nothing': () => undefined,
  '/closed-door': (res) => res.setHeader('connection', 'closed-door'),
  '/kept': (res) => {
    res.shouldKeepAlive = false;
    res.setHeader('Connection', 'keep-alive');
  },
};

export default function answer(req: IncomingMessage, res: ServerResponse): void {
  ways[req.url ?? '']?.(res);
  res.end('answered');
}
