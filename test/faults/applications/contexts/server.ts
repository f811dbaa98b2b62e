import { createServer } from 'node:http';
import { enter, session } from './session.ts';

createServer((req, res) => {
  const found = enter(req.headers['x-user'] as string | undefined);
  process.nextTick(() => res.end(`${found}, then ${session.getStore()}`));
}).listen(0);
