/**
 * Open connections of a listener that anybody may connect to. When all places are taken, one of them makes room for a newer one: the oldest of the
 * address that has most. So a client at another address is served however many connections somebody holds open, and one at the same address if it asks
 * at once. A client that has shown a token is kept.
 */
import type { Socket } from 'node:net';
import { addressKey } from '../server/limits.ts';
import type { Endpoint } from './endpoint.ts';

interface Place {
  readonly socket: Socket;
  readonly endpoint: Endpoint;
  readonly key: string;
  /** Counts it no more. */
  readonly leave: () => void;
}

export class GivingWay {
  /** The oldest first. */
  readonly #places = new Map<Socket, Place>();

  add(socket: Socket, endpoint: Endpoint, leave: () => void): void {
    this.#places.set(socket, { socket, endpoint, key: addressKey(endpoint.address), leave });
  }

  delete(socket: Socket): void {
    this.#places.delete(socket);
  }

  /** The connection from there makes no room any more. */
  keep(address: string, port: number): void {
    for (const { socket, endpoint } of this.#places.values()) {
      if (endpoint.port === port && endpoint.address === address) this.#places.delete(socket);
    }
  }

  /** The connection that makes room; undefined: none does. */
  next(): Place | undefined {
    const counts = new Map<string, number>();
    for (const { key } of this.#places.values()) counts.set(key, (counts.get(key) ?? 0) + 1);
    let most: Place | undefined;
    for (const place of this.#places.values()) {
      const isMore = most === undefined || (counts.get(place.key) ?? 0) > (counts.get(most.key) ?? 0);
      if (isMore) most = place;
    }
    return most;
  }
}
