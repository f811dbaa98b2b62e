import { Socket } from 'node:net';

/** Methods of a net.Socket that are not there. */
export function missingIn(socket: object): string[] {
  const missing = new Set<string>();
  for (let of = Socket.prototype; of !== Object.prototype; of = Object.getPrototypeOf(of)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(of))) {
      const isPublic = typeof value === 'function' && name[0] !== '_';
      if (isPublic && typeof (socket as Record<string, unknown>)[name] !== 'function') missing.add(name);
    }
  }
  return [...missing];
}
