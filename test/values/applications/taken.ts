/** Answers with content of every kind that is taken, by path: whole, and in pieces under `/pieces`. */
import { runInNewContext } from 'node:vm';
import type { Exchange } from '../../../workers/gateway.ts';

class Bytes extends Uint8Array {}

function filled<T extends Uint8Array>(bytes: T): T {
  for (const [i, code] of Buffer.from('five!').entries()) bytes[i] = code;
  return bytes;
}

/** Longer than the view that is given. */
function within<T extends ArrayBuffer | SharedArrayBuffer>(memory: T): Uint8Array {
  return filled(new Uint8Array(memory, 3, 5));
}

export const contents: { readonly [kind: string]: () => Uint8Array | string } = {
  string: () => 'five!',
  Uint8Array: () => filled(new Uint8Array(5)),
  Buffer: () => Buffer.from('five!'),
  subclass: () => filled(new Bytes(5)),
  'part of a memory': () => within(new ArrayBuffer(16)),
  'shared memory': () => within(new SharedArrayBuffer(16)),
  'resizable memory': () => within(new ArrayBuffer(16, { maxByteLength: 32 })),
  'as long as its memory': () => filled(new Uint8Array(new ArrayBuffer(5, { maxByteLength: 32 }))),
  'growable shared memory': () => within(new SharedArrayBuffer(16, { maxByteLength: 32 })),
  'another realm': () => filled(runInNewContext('new Uint8Array(5)')),
  'lone surrogates': () => 'a\ud800b\udc00',
  'no bytes': () => new Uint8Array(0),
  'no text': () => '',
};

export default async function taken(exchange: Exchange): Promise<void> {
  const { pathname, searchParams } = new URL(exchange.request.path, 'http://test.invalid');
  const content = contents[searchParams.get('kind') ?? '']?.() ?? 'no such kind';
  if (!pathname.endsWith('/pieces')) return exchange.respond(200, {}, content);
  exchange.respond(200);
  await exchange.write(content);
  await exchange.write(content);
  exchange.end();
}
