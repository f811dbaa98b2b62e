/**
 * Finds the socket that carries a TLS connection's records. A write that is not a record, such as an empty write
 * that only tests for an error, must bypass TLS.
 *
 * Node has no public name for this socket. A TLS socket keeps the socket that it was made from as its parent,
 * because activity of one is activity of the other. If a future Node does not, no socket is found.
 */
import { Socket } from 'node:net';

/** @returns the socket itself if it is not over TLS; null if this Node does not show what carries it. */
export function transportOf(socket: Socket): Socket | null {
  if (!('encrypted' in socket)) return socket;
  const { _parent: parent } = socket as unknown as { readonly _parent?: unknown };
  return parent instanceof Socket ? parent : null;
}
