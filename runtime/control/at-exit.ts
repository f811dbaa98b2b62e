/**
 * Sockets that are taken away when the process ends without closing its servers, as by `process.exit`, or without telling anybody, where
 * whoever ends it calls `removeSockets`. One listener for all of them, and none while there is no socket.
 */

interface Removable {
  remove(): void;
}

const sockets = new Set<Removable>();

export function removeAtExit(socket: Removable): void {
  if (sockets.size === 0) process.on('exit', removeSockets);
  sockets.add(socket);
}

/** It has been taken away. */
export function isRemoved(socket: Removable): void {
  if (sockets.delete(socket) && sockets.size === 0) process.off('exit', removeSockets);
}

export function removeSockets(): void {
  for (const socket of sockets) socket.remove();
}
