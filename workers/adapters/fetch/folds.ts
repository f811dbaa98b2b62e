/** Remembers which handler was made from which application, and which Request from which exchange. */
import type { Application, Exchange } from '../../gateway.ts';
import { isLazyRequest } from './lazy-request.ts';

const made = new WeakMap<object, Application>();
const requests = new WeakMap<object, Exchange>();

export function remember(handler: object, application: Application): void {
  made.set(handler, application);
}

export function folded(handler: object): Application | null {
  return made.get(handler) ?? null;
}

export function rememberRequest(request: Request, exchange: Exchange): void {
  requests.set(request, exchange);
}

/** The exchange that a request was made from if its body has not been read; otherwise null. */
export function exchangeOf(request: Request): Exchange | null {
  if (isLazyRequest(request)) {
    const { exchange, isUnread } = request as unknown as { exchange: Exchange; isUnread: boolean };
    return isUnread ? exchange : null;
  }
  return request.bodyUsed ? null : (requests.get(request) ?? null);
}
