/**
 * Finds the socket that carries a TLS connection's records. What is no record, as an empty write that only
 * looks for an error, must go past TLS.
 *
 * Node has no public name for it. A TLS socket keeps the socket that it was made from as its parent, since
 * the activity of one is the activity of the other. If a future Node keeps none, there is none to be found.
 */
import { Socket } from 'node:net';

/** @returns the socket itself if it is not over TLS; null if this Node does not show what carries it. */
export function transportOf(socket: Socket): Socket | null {
  if (!('encrypted' in socket)) return socket;
  const { _parent: parent } = socket as unknown as { readonly _parent?: unknown };
  return parent instanceof Socket ? parent : null;
}
