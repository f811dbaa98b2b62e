/** The application's `stream` listeners on a node:http2 server, and the arguments that node:http2 passes to them. */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { ExchangeRequest } from '../../gateway.ts';
import type { RequestStream } from './http2-request-stream.ts';
import { pseudoFieldsOf } from './request.ts';

export type Listener = Parameters<EventEmitter['on']>[1];

/** Flags of HEADERS (RFC 9113 section 6.2). */
const END_STREAM = 0x1;
const END_HEADERS = 0x4;

let nodesOwn: string | null = null;

/** All listeners except the one by which node:http2 makes `req` and `res`. */
export function streamListenersOf(server: Server): readonly Listener[] {
  return server.rawListeners('stream').filter(({ name }) => name !== nameOfNodesOwn()) as Listener[];
}

function nameOfNodesOwn(): string {
  if (nodesOwn === null) {
    const server = process.getBuiltinModule('node:http2').createServer(() => undefined);
    nodesOwn = server.listeners('stream')[0]?.name ?? '';
  }
  return nodesOwn;
}

/** The arguments of a listener: stream, headers, flags and raw headers. */
export function streamArguments(
  request: ExchangeRequest,
  req: IncomingMessage,
  stream: RequestStream,
): readonly unknown[] {
  const pseudo = pseudoFieldsOf(request);
  const { host: _host, 'transfer-encoding': _coding, ...fields } = req.headers;
  const headers: { [name: string]: unknown } = Object.assign(Object.create(null), fields);
  for (let i = 0; i < pseudo.length; i += 2) headers[pseudo[i] as string] = pseudo[i + 1];
  const raw = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => [name, one]),
  );
  return [stream, headers, stream.endAfterHeaders ? END_STREAM | END_HEADERS : END_HEADERS, raw];
}
