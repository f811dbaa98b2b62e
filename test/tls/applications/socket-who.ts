/** Answers with what the socket of a Node handler says of its client. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';

export default function who(req: IncomingMessage, res: ServerResponse): void {
  const socket = req.socket as TLSSocket;
  if (req.url?.endsWith('/certificate') === true) {
    const { fingerprint512 } = socket.getPeerX509Certificate() ?? {};
    res.end(JSON.stringify({ certificate: socket.getPeerCertificate(), fingerprint512 }));
    return;
  }
  const { authorized, authorizationError } = socket;
  res.end(JSON.stringify({ authorized, authorizationError }));
}
