/**
 * Which request the running code belongs to, for what it prints. While the host calls an exchange, that is
 * the exchange of the slot. After an `await`, in a timer or a callback, only the async context knows.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Application } from '../gateway.ts';

const names = new AsyncLocalStorage<string>();
/** The identifier of the exchange that the host calls, if it calls one. */
let called: () => string = () => '';

export function setCalledRequest(source: () => string): void {
  called = source;
}

/** Empty: none, or one without an identifier. */
export function runningRequestId(): string {
  return names.getStore() ?? called();
}

/** The application, called where its request is known. */
export function named(application: Application): Application {
  return (exchange) => {
    const { id } = exchange.request as { readonly id?: string };
    return id ? names.run(id, application, exchange) : application(exchange);
  };
}
