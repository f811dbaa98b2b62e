/**
 * Monitoring (RFC 8030 section 6): an exchange stays open, and each item is promised and pushed as a response
 * of its own. A peer without server push gets the first item as the response itself and asks again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Closed, Exchange, FieldsInit } from '../../workers/gateway.ts';
import type { Bell } from './bell.ts';
import { MAX_PUSHES_AT_ONCE, PUSH_RETRY_MS } from './limits.ts';
import { prefers } from './requests.ts';

export interface Item {
  readonly path: string;
  readonly status: number;
  readonly fields: FieldsInit;
  readonly body: Uint8Array;
}

/** What is monitored. */
export interface Source {
  /** The next item after the previous one; undefined if there is none yet. */
  next(): Item | undefined;
  /** The item was sent, completely or not. */
  sent(item: Item, closed: Closed): void;
  /** False: the monitored resource has gone. */
  exists(): boolean;
}

export async function monitor(exchange: Exchange, bell: Bell, id: string, source: Source): Promise<void> {
  const waits = !prefers(exchange.request.fields, 'wait=0');
  const over = AbortSignal.any([exchange.signal, exchange.draining]);
  let wake = Promise.withResolvers<void>();
  const ring = () => wake.resolve();
  const stopListening = bell.listen(id, ring);
  over.addEventListener('abort', ring);
  const inFlight = new Set<Promise<void>>();
  let count = 0;
  try {
    while (!over.aborted) {
      // Set before the query, so that an item that is stored during the query rings for the next one.
      wake = Promise.withResolvers();
      const item = source.next();
      if (item === undefined) {
        if (!waits || !source.exists()) break;
        await wake.promise;
        continue;
      }
      if (!exchange.capabilities.push) return respondItem(exchange, source, item);
      const pushed = await promise(exchange, item, inFlight, over);
      if (pushed === null) break;
      count++;
      pushed.respond(item.status, item.fields, item.body);
      const sent = pushed.closed.then((closed) => {
        source.sent(item, closed);
        inFlight.delete(sent);
      });
      inFlight.add(sent);
    }
    await Promise.all(inFlight);
    if (exchange.signal.aborted) return;
    exchange.respond(count > 0 ? 200 : 204, { 'cache-control': 'no-store' }, count > 0 ? '' : undefined);
    if (count === 0) exchange.end();
  } finally {
    stopListening();
    over.removeEventListener('abort', ring);
  }
}

/**
 * Null: the monitoring is over. A refusal is the peer's limit for now: the next try comes when an open push
 * has ended, or after a while.
 */
async function promise(exchange: Exchange, item: Item, inFlight: Set<Promise<void>>, over: AbortSignal) {
  for (;;) {
    if (inFlight.size >= MAX_PUSHES_AT_ONCE) await Promise.race(inFlight);
    if (over.aborted) return null;
    const pushed = await exchange.push({ path: item.path });
    if (pushed !== null) return pushed;
    const later = delay(PUSH_RETRY_MS, undefined, { signal: over }).catch(() => undefined);
    await Promise.race([...inFlight, later]);
  }
}

async function respondItem(exchange: Exchange, source: Source, item: Item): Promise<void> {
  // A receipt with 410 is not a response about this resource, so it names the message that it is about and
  // carries the status beside it.
  const fields: Iterable<readonly [string, string | number]> = [
    ...Object.entries(item.fields as Record<string, string | number>),
    ['content-location', item.path],
    ['push-status', item.status],
  ];
  exchange.respond(200, fields, item.body);
  source.sent(item, await exchange.closed);
}
