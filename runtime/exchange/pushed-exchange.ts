/**
 * The response to a promised request (RFC 9113 section 8.4): an exchange that its thread has begun by asking for it. It
 * never waits in a queue and never moves to another thread. PROMISED, which gives the thread its slot, goes before
 * anything else on it.
 */
import { Exchange, type Transport } from './exchange.ts';

/** @param number by which the thread knows the push until it has a slot */
export function pushedExchange(
  transport: Transport,
  stream: unknown,
  parent: Exchange,
  number: number,
  method: string,
  path: string,
  fields: readonly string[],
): Exchange {
  const exchange = new Exchange(
    transport,
    stream,
    parent.destination,
    method,
    parent.scheme,
    parent.authority,
    path,
    parent.version,
    parent.remoteAddress,
    parent.remotePort,
    fields,
    true,
    parent.tls,
  );
  exchange.requestId = parent.requestId;
  exchange.job.promise(parent.job.slot, number);
  return exchange;
}
