/** Answers with what the socket of a Node handler says of its client. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';

export default function who(req: IncomingMessage, res: ServerResponse): void {
  const { authorized, authorizationError } = req.socket as TLSSocket;
  res.end(JSON.stringify({ authorized, authorizationError }));
}
