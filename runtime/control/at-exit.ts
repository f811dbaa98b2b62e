/**
 * Removes sockets if the process ends without closing its servers. On `process.exit` a listener does it; code that ends the process in
 * another way calls `removeSockets`. There is one listener for all sockets, and none while there is no socket.
 */

interface Removable {
  remove(): void;
}

const sockets = new Set<Removable>();

export function removeAtExit(socket: Removable): void {
  if (sockets.size === 0) process.on('exit', removeSockets);
  sockets.add(socket);
}

/** The socket has already been removed. */
export function isRemoved(socket: Removable): void {
  if (sockets.delete(socket) && sockets.size === 0) process.off('exit', removeSockets);
}

export function removeSockets(): void {
  for (const socket of sockets) socket.remove();
}
