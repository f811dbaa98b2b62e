/**
 * Members of `net.Socket` that a thread cannot provide. A call fails its exchange with an error that names the member, and returns a value
 * of the type that Node returns, so that code that uses the value in a callback does not end the thread.
 */
import { Socket } from 'node:net';
import { Readable } from 'node:stream';

export class SocketError extends Error {
  readonly code = 'SLUICE_NO_SOCKET';

  constructor(member: string, of: 'socket' | 'session' = 'socket') {
    super(
      `expected an application that leaves the connection alone, it called ${of}.${member}(): the connection is the server's, and other exchanges may share it`,
    );
  }
}

/** Members that return a promise, a stream or an iterator, in this Node or a later one. */
const PROMISING = new Set<string | symbol>([
  ...['toArray', 'forEach', 'some', 'find', 'every', 'reduce'],
  Symbol.asyncDispose,
]);
const STREAMING = new Set<string | symbol>(['map', 'filter', 'flatMap', 'drop', 'take', 'compose']);
const ITERATING = new Set<string | symbol>(['iterator', Symbol.asyncIterator]);

/** Adds a refusal for every other method of `net.Socket`, of this Node or a later one. */
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

/** A value of the type that the member returns on Node. */
function refusalOf(member: string | symbol): unknown {
  if (STREAMING.has(member)) return new Readable({ read: () => {} }).destroy();
  if (ITERATING.has(member)) return Readable.from([])[Symbol.asyncIterator]();
  if (!PROMISING.has(member)) return undefined;
  const refused = Promise.reject(new SocketError(String(member)));
  refused.catch(() => undefined);
  return refused;
}
