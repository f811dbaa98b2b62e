/**
 * The same below a layer of each kind: what a legacy one has not changed is the exchange above it, what it has changed goes through its
 * hands; a native one drops what it withholds.
 */

import { fromFetch, toFetch } from '../../../workers/adapters/fetch/fetch.ts';
import { fromNode, toNode } from '../../../workers/adapters/node/node.ts';
import type { Exchange } from '../../../workers/gateway.ts';
import { WrappedExchange } from '../../../workers/middleware/compose.ts';
import refusing from './refusing.ts';

const inner = toNode(refusing);

const layers: { readonly [name: string]: (exchange: Exchange) => void | Promise<void> } = {
  '/fields-set': fromNode((req, res, next) => {
    res.setHeader('x-layer', '1');
    inner(req, res, next);
  }),
  '/head-patched': fromNode((req, res, next) => {
    const writeHead = res.writeHead.bind(res);
    Object.assign(res, { writeHead: (...args: Parameters<typeof writeHead>) => writeHead(...args) });
    inner(req, res, next);
  }),
  '/body-patched': fromNode((req, res, next) => {
    const write = res.write.bind(res);
    Object.assign(res, { write: (...args: Parameters<typeof write>) => write(...args) });
    inner(req, res, next);
  }),
  '/native': (exchange) =>
    refusing(
      new WrappedExchange(
        exchange,
        (['informational', 'trailers', 'push', 'padding'] as const).map((feature) => ({
          feature,
          why: 'a test',
        })),
      ),
    ),
  '/fetch': fromFetch(toFetch(refusing)),
  '/fetch-wrapped': fromFetch(async (request) => {
    const response = await toFetch(refusing)(request);
    return new Response(response.body, response);
  }),
};

export default function belowLayer(exchange: Exchange): void | Promise<void> {
  const name = exchange.request.path.slice(0, exchange.request.path.lastIndexOf('/'));
  const layer = layers[name.slice(name.lastIndexOf('/'))];
  if (layer === undefined) return exchange.respond(404, {}, 'no such layer');
  return layer(exchange);
}
