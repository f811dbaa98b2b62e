/** Tells what a handler is given: the members of each object, as it finds them, and the events that they emit. */
import type { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { type Told, tell } from '../members/told.ts';

export type Given = { readonly [object: string]: Told };
/** By object: which events there were. */
export type Emitted = { readonly [object: string]: readonly string[] };

/** Emitted once for each message, and told of when it comes again. */
const ONCE = new Set(['close', 'end', 'finish', 'prefinish']);

let emitted: { [object: string]: Set<string> } = {};

export function handler(req: IncomingMessage, res: ServerResponse): void {
  const [, step, member] = (req.url ?? '').split('/');
  switch (step) {
    case 'given': {
      const { server } = req.socket as unknown as { server: object };
      const { stream } = req as never as { stream?: ServerHttp2Stream };
      const given: Given = { req: tell(req), res: tell(res), socket: tell(req.socket), server: tell(server) };
      const ofStream = stream && { stream: tell(stream), session: tell(stream.session as object) };
      res.end(JSON.stringify({ ...given, ...ofStream }));
      return;
    }
    case 'record':
      emitted = {};
      record('req', req);
      record('res', res);
      record('socket', req.socket);
      // What nobody listens to costs nothing here.
      req.socket.once('close', () => undefined);
      req.resume().once('end', () => res.end('recorded'));
      return;
    case 'recorded':
      res.end(JSON.stringify(emitted, (_, value) => (value instanceof Set ? [...value].sort() : value)));
      return;
    case 'go-on':
      // As code does that expects what Node gives, in a callback: where it throws there, the thread is lost.
      setTimeout(() => goOn(req.socket, member as string), 1);
      return;
    case 'call-session': {
      const { session } = (req as never as { stream: ServerHttp2Stream }).stream;
      (session as never as { [name: string]: (...args: unknown[]) => unknown })[member as string]?.('x');
      return;
    }
    default:
      // A call that is refused ends the exchange, and does not throw.
      (req.socket as never as { [name: string]: (...args: unknown[]) => unknown })[member as string]?.('x');
  }
}

function goOn(socket: IncomingMessage['socket'], member: string): void {
  if (member === 'filter' || member === 'map') socket[member](() => true).on('error', () => undefined);
  else if (member === 'iterator') void socket.iterator().next();
  else if (member === 'asyncIterator') void socket[Symbol.asyncIterator]().next();
  else if (member === 'asyncDispose') socket[Symbol.asyncDispose]().catch(() => undefined);
  else if (member === 'toArray') socket.toArray().catch(() => undefined);
  else socket.forEach(() => {}).catch(() => undefined);
}

function record(name: string, emitter: EventEmitter): void {
  const events = new Set<string>();
  emitted[name] = events;
  const emit = emitter.emit;
  emitter.emit = function (this: EventEmitter, event: string | symbol, ...args: unknown[]) {
    const isAgain = ONCE.has(String(event)) && events.has(String(event));
    if (event !== 'newListener' && event !== 'removeListener')
      events.add(isAgain ? `${String(event)} again` : String(event));
    return Reflect.apply(emit, this, [event, ...args]);
  } as typeof emit;
}

export const members = (): Server => createServer(handler);

export default members();
