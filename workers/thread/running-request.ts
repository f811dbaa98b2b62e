/**
 * Finds the request to which the running code belongs, for the labels of what it prints. While the host calls
 * an exchange, that is the exchange of the slot. After an `await`, in a timer or a callback, only the async
 * context knows.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Application } from '../gateway.ts';

const names = new AsyncLocalStorage<string>();
/** Returns the identifier of the exchange that the host is calling, if any. */
let called: () => string = () => '';

export function setCalledRequest(source: () => string): void {
  called = source;
}

/** Empty: no request, or one without an identifier. */
export function runningRequestId(): string {
  return names.getStore() ?? called();
}

/** Wraps the application so that each call knows its request. */
export function named(application: Application): Application {
  return (exchange) => {
    const { id } = exchange.request as { readonly id?: string };
    return id ? names.run(id, application, exchange) : application(exchange);
  };
}
