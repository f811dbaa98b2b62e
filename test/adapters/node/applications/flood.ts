/** Writes on and on, whatever `res.write` gives. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { threadId } from 'node:worker_threads';
import { SIGNALS_FIELD, Signals } from '../../../server/signals.ts';

const PIECE = Buffer.alloc(64 * 1024);

export default function flood(req: IncomingMessage, res: ServerResponse): void {
  const { pathname, searchParams } = new URL(req.url ?? '', 'http://test.invalid');
  if (pathname === '/thread') {
    res.end(String(threadId));
    return;
  }
  const pieces = Number(searchParams.get('pieces'));
  if (pathname === '/one') {
    res.end(Buffer.alloc(pieces * PIECE.length));
    return;
  }
  const signals = new Signals(String(req.headers[SIGNALS_FIELD]));
  res.on('close', () => {
    signals.tell('over');
    signals.close();
  });
  res.write(PIECE);
  void signals.until('flood').then(() => {
    for (let n = 1; n < pieces; n++) res.write(PIECE);
    res.end();
    signals.tell('flooded');
  });
  signals.tell('begun');
}
