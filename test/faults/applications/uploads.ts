/** Uploads that are answered with a head and then read to no end, and how they ended. One thread's count each. */
import type { Closed, Exchange, GatewayError } from '../../../workers/gateway.ts';

interface Ended {
  readonly closed: Closed;
  readonly reason: Pick<GatewayError, 'code' | 'closedBy' | 'resetCode'>;
  readonly body: string;
}

let begun = 0;
let aborted = 0;
let open = 0;
const endings = new Map<string, PromiseWithResolvers<Ended>>();

function endingOf(code: string): PromiseWithResolvers<Ended> {
  let ending = endings.get(code);
  if (ending === undefined) endings.set(code, (ending = Promise.withResolvers<Ended>()));
  return ending;
}

export default async function uploads(exchange: Exchange): Promise<void> {
  const url = new URL(exchange.request.path, 'http://test.invalid');
  const code = url.searchParams.get('code') ?? '';
  if (url.pathname === '/open') return exchange.respond(200, {}, JSON.stringify({ begun, open, aborted }));
  if (url.pathname === '/ended') {
    return exchange.respond(200, {}, JSON.stringify(await endingOf(code).promise));
  }
  begun++;
  open++;
  exchange.respond(200);
  let body = 'whole';
  try {
    for await (const piece of exchange.body) if (piece.length === 0) break;
  } catch (error) {
    body = (error as GatewayError).code;
  }
  const closed = await exchange.closed;
  // Together, so that nobody sees one without the other.
  open--;
  if (exchange.signal.aborted) aborted++;
  if (code === '') return;
  const reason = exchange.signal.reason as GatewayError;
  endingOf(code).resolve({
    closed,
    reason: { code: reason.code, closedBy: reason.closedBy, resetCode: reason.resetCode },
    body,
  } as Ended);
}
