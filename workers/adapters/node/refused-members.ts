/**
 * What of a net.Socket nothing here can do. A call fails its exchange, by the member's name, and gives something of the shape that Node gives: whoever
 * goes on with it in a callback must not end the thread.
 */
import { Socket } from 'node:net';
import { Readable } from 'node:stream';

export class SocketError extends Error {
  readonly code = 'SLUICE_NO_SOCKET';

  constructor(member: string) {
    super(
      `expected an application that leaves the connection alone, it called socket.${member}(): the connection is the server's, and other exchanges may share it`,
    );
  }
}

/** What gives a promise, and what gives another stream; of this Node or of a later one. */
const PROMISING = new Set<string | symbol>([
  ...['toArray', 'forEach', 'some', 'find', 'every', 'reduce'],
  Symbol.asyncDispose,
]);
const STREAMING = new Set<string | symbol>(['map', 'filter', 'flatMap', 'drop', 'take', 'compose']);
const ITERATING = new Set<string | symbol>(['iterator', Symbol.asyncIterator]);

/** Whatever else a net.Socket can do, of this Node or of a later one, is refused by name. */
export function refuseOthers<Kind extends object>(
  prototype: Kind,
  refuse: (socket: Kind, member: string) => void,
  members: object = Socket.prototype,
): void {
  for (let of = members; of !== Object.prototype; of = Object.getPrototypeOf(of)) {
    for (const member of Reflect.ownKeys(of)) {
      const isMethod = typeof Object.getOwnPropertyDescriptor(of, member)?.value === 'function';
      const isPublic =
        typeof member === 'symbol' ? PROMISING.has(member) || ITERATING.has(member) : member[0] !== '_';
      if (!isMethod || !isPublic || member in prototype) continue;
      const value = function (this: Kind): unknown {
        refuse(this, String(member));
        return refusalOf(member);
      };
      Object.defineProperty(prototype, member, { value, configurable: true, writable: true });
    }
  }
}

/** In the shape of what was asked for: the exchange has failed, and whoever goes on with this in a callback must not end the thread. */
function refusalOf(member: string | symbol): unknown {
  if (STREAMING.has(member)) return new Readable({ read: () => {} }).destroy();
  if (ITERATING.has(member)) return Readable.from([])[Symbol.asyncIterator]();
  if (!PROMISING.has(member)) return undefined;
  const refused = Promise.reject(new SocketError(String(member)));
  refused.catch(() => undefined);
  return refused;
}
