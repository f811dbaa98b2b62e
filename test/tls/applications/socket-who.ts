/** Answers with what the socket of a Node handler says of its client. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export default function who(req: IncomingMessage, res: ServerResponse): void {
  const socket = req.socket as TLSSocket;
  if (req.url?.endsWith('/certificate') === true) {
    const { fingerprint512 } = socket.getPeerX509Certificate() ?? {};
    const isTls = socket instanceof TLSSocket && socket instanceof Socket;
    res.end(JSON.stringify({ certificate: socket.getPeerCertificate(), fingerprint512, isTls }));
    return;
  }
  const { authorized, authorizationError } = socket;
  res.end(JSON.stringify({ authorized, authorizationError }));
}
