/** The other end of a connection. */
import type { Socket } from 'node:net';

export interface Endpoint {
  /** An IP address; empty if it is unknown. */
  readonly address: string;
  /** 0 if it is unknown. */
  readonly port: number;
  /** The socket itself is a Unix domain socket: its peer has no address and is on this machine. */
  readonly isUnix: boolean;
}

/** An unknown peer: a proxy does not know its address, or does not disclose it. */
export const UNKNOWN: Endpoint = Object.freeze({ address: '', port: 0, isUnix: false });

const UNIX: Endpoint = Object.freeze({ address: '', port: 0, isUnix: true });

/** The peer of an accepted socket. Null: it has already gone. */
export function endpointOf(socket: Socket, listensOnUnix: boolean): Endpoint | null {
  if (listensOnUnix) return UNIX;
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return { address: remoteAddress, port: remotePort, isUnix: false };
}
