/** Below a stack of the gallery: more than anybody may hold, to be sent to who does not read, or not to be read at all. */
import { randomBytes } from 'node:crypto';
import { stackOf } from '../../../apps/middleware/catalogue.ts';
import type { Application, Exchange } from '../../../workers/gateway.ts';
import { queryOf } from './by-path.ts';

const PIECE = randomBytes(64 * 1024);
const TEXT = { 'content-type': 'text/plain' };
/** By id: bytes that were written and waited for, or read. */
const moved = new Map<string, number>();
const going = new Map<string, PromiseWithResolvers<void>>();

const warnings: string[] = [];
process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`));

export default function flow(exchange: Exchange): void | Promise<void> {
  const id = String(queryOf(exchange).get('id'));
  const path = exchange.request.path.split('?')[0];
  if (path === '/count') return exchange.respond(200, {}, String(moved.get(id) ?? 0));
  if (path === '/warnings') return exchange.respond(200, {}, warnings.join());
  if (path === '/go') {
    going.get(id)?.resolve();
    return exchange.respond(200, {}, 'gone');
  }
  const stack = stackOf((exchange.request.fields.get('x-stack') as string).split(','));
  if (typeof stack === 'string') throw new Error(`expected a stack, there is no ${stack}`);
  return stack(path === '/send' ? send(id) : receive(id))(exchange);
}

function send(id: string): Application {
  return async (exchange) => {
    const bytes = Number(queryOf(exchange).get('bytes'));
    exchange.respond(200, TEXT);
    for (let sent = 0; sent < bytes; sent += PIECE.length) {
      await exchange.write(PIECE);
      moved.set(id, sent + PIECE.length);
    }
    exchange.end();
  };
}

/** Reads nothing before it is told to. */
function receive(id: string): Application {
  return async (exchange) => {
    const go = Promise.withResolvers<void>();
    going.set(id, go);
    moved.set(id, 1);
    await go.promise;
    let bytes = 0;
    for await (const piece of exchange.body) bytes += piece.length;
    exchange.respond(200, {}, String(bytes));
  };
}
