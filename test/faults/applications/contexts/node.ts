import type { IncomingMessage, ServerResponse } from 'node:http';
import { enter, session } from './session.ts';

export default function application(req: IncomingMessage, res: ServerResponse): void {
  const found = enter(req.headers['x-user'] as string | undefined);
  setImmediate(() => res.end(`${found}, then ${session.getStore()}`));
}
