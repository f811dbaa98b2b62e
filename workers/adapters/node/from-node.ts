/** A Node handler as an application. Published as part of `sluice/node`. */
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Application, Exchange } from '../../gateway.ts';
import { Associated } from '../associated.ts';
import { type DowngradeOptions, downgradeOf } from '../downgrade.ts';
import { RepeatedFields } from '../repeated-fields.ts';
import { folded } from './folds.ts';
import { KnownHeads } from './known-heads.ts';
import { NodePair } from './pair.ts';
import type { PairOptions } from './pair-response.ts';
import { type Incoming, PAIR } from './request.ts';
import { ServerFace } from './server-face.ts';

/** A request listener of node:http, or a Connect middleware. If it returns a promise, the exchange waits for it. */
export type NodeHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => unknown;

export interface FromNodeOptions {
  readonly downgrade?: DowngradeOptions;
  /** The most bytes of a response that may wait for the peer when the application does not wait for `drain`; beyond it the exchange is reset. Default 16 MiB. */
  readonly maxWaitingBytes?: number;
}

const DEFAULT_WAITING_BYTES = 16 * 1024 * 1024;

/** An error, thrown or passed to `next`, is the application's failure. `next()` without an error answers 404. */
export function fromNode(handler: NodeHandler, options: FromNodeOptions = {}): Application {
  const native = folded(handler);
  if (native !== null) return native;
  const pairOptions = optionsOf(options);
  // Express and its like answer unknown paths themselves; they have `handle` and get no `next`.
  const takesNext = handler.length > 2 && !('handle' in handler);
  const call = (pair: NodePair): unknown =>
    takesNext
      ? handler(pair.req, pair.res, (error) => nobodyKnows(pair, error))
      : (handler as (req: IncomingMessage, res: ServerResponse) => unknown)(pair.req, pair.res);
  // The server that `http.createServer(handler)` would have made, for `req.socket.server` and for tracers that watch its events.
  const server = createServer((req) => {
    const pair = (req as Incoming)[PAIR] as NodePair;
    pair.result = call(pair);
  });
  const face = new ServerFace(server);
  const application = (exchange: Exchange): void | Promise<void> => {
    const pair = new NodePair(exchange, pairOptions, associated, face);
    let result: unknown;
    try {
      if (server.emit === EventEmitter.prototype.emit) {
        result = call(pair);
      } else {
        server.emit('request', pair.req, pair.res);
        result = pair.result;
      }
    } catch (error) {
      // The handler's timers and callbacks may still run and use `req` and `res`.
      pair.fail(error);
      throw error;
    }
    return pair.held(result);
  };
  const associated = Associated.of(application, pairOptions.downgrade);
  return application;
}

export function optionsOf({ downgrade, maxWaitingBytes }: FromNodeOptions): PairOptions {
  const fields = new RepeatedFields();
  return {
    downgrade: downgradeOf(downgrade),
    maxWaitingBytes: maxWaitingBytes ?? DEFAULT_WAITING_BYTES,
    fields,
    heads: new KnownHeads(fields),
  };
}

function nobodyKnows(pair: NodePair, error: unknown): void {
  if (error !== undefined && error !== null) {
    pair.fail(error);
    return;
  }
  const { res } = pair;
  if (res.headersSent || res.writableEnded) return;
  res.statusCode = 404;
  res.setHeader('content-type', 'text/plain; charset=utf-8');
  res.end('Not Found\n');
}
