/** An application as a Node handler, for node:http, the compatibility interface of node:http2, Express and similar frameworks. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Application, Exchange, Middleware } from '../../gateway.ts';
import { type Downgrade, type DowngradeOptions, downgradeOf } from '../downgrade.ts';
import { ExchangeOverNode } from './exchange-over-node.ts';
import { FoldedExchange } from './folded-exchange.ts';
import { remember } from './folds.ts';
import { type FromNodeOptions, fromNode, type NodeHandler } from './from-node.ts';
import type { NodePair } from './pair.ts';
import { isUntouched, patchesOf } from './patches.ts';
import { PAIR } from './request.ts';
import { stopRequest } from './rest-of-request.ts';

export interface ToNodeOptions {
  readonly downgrade?: DowngradeOptions;
  /**
   * How long the rest of a request is discarded after its response; then its connection is closed. Default 2000. Over HTTP/2 the stream
   * is reset at once.
   */
  readonly discardTimeoutMs?: number;
}

const DEFAULT_DISCARD_TIMEOUT_MS = 2000;

export type NodeListener = (
  req: IncomingMessage | Http2ServerRequest,
  res: ServerResponse | Http2ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/**
 * A failure goes to `next` if there is one; otherwise it is answered with 500 or cuts the response off. `fromNode` of the result returns the
 * application itself. Below legacy layers the application gets the parts of the exchange that the layers left alone.
 */
export function toNode(application: Application, options: ToNodeOptions = {}): NodeListener {
  const downgrade = downgradeOf(options.downgrade);
  const { discardTimeoutMs = DEFAULT_DISCARD_TIMEOUT_MS } = options;
  const listener: NodeListener = (req, res, next) => {
    const pair = (res as { [PAIR]?: NodePair })[PAIR];
    if (pair !== undefined && pair.req === req) below(pair, application, downgrade, next);
    else {
      const stop = () => stopRequest(req, res, discardTimeoutMs);
      over(new ExchangeOverNode(req, res, downgrade), application, next, stop);
    }
  };
  remember(listener, application);
  return listener;
}

/** Connect middleware as native middleware. */
export function nodeMiddleware(
  middleware: NodeHandler,
  options: FromNodeOptions & ToNodeOptions = {},
): Middleware {
  return (application) => {
    const inner = toNode(application, options);
    return fromNode((req, res, next) => {
      const proceed = (error?: unknown) => {
        if (error === undefined || error === null) inner(req, res, next);
        else next(error);
      };
      return middleware(req, res, proceed);
    }, options);
  };
}

/** `req` and `res` were made from an exchange, which is used directly. */
function below(
  pair: NodePair,
  application: Application,
  downgrade: Downgrade,
  next: ((error?: unknown) => void) | undefined,
): void {
  const fail = (error: unknown) => {
    pair.delegateFailed();
    if (next === undefined) pair.fail(error);
    else next(error);
  };
  try {
    const patches = patchesOf(pair);
    const folded = isUntouched(patches) ? null : new FoldedExchange(pair, patches, downgrade);
    const result = application(folded ?? pair.exchange);
    pair.delegated(result, folded, fail);
  } catch (error) {
    fail(error);
  }
}

/** `req` and `res` are those of another server. */
function over(
  exchange: ExchangeOverNode,
  application: Application,
  next: ((error?: unknown) => void) | undefined,
  stop: () => void,
): void {
  const returned = () => {
    if (exchange.isComplete) stop();
    else failed(new Error('the application returned before its response was complete'));
  };
  const failed = (error: unknown) => {
    if (isOfCut(exchange, error)) return;
    if (next !== undefined && !exchange.isStarted) next(error);
    else exchange.fail(error);
  };
  try {
    const result = application(exchange);
    if (result === undefined) returned();
    else result.then(returned, failed);
  } catch (error) {
    failed(error);
  }
}

/** An application that its peer interrupted has not failed. */
function isOfCut(exchange: Exchange, error: unknown): boolean {
  return exchange.signal.aborted && (error as { code?: unknown } | null)?.code === 'SLUICE_EXCHANGE_CLOSED';
}
