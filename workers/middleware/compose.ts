/** Native middleware in a row. Published as `sluice/middleware`. */
import type { Middleware } from '../gateway.ts';

export { FieldList } from './field-list.ts';
export { WrappedExchange } from './wrapped-exchange.ts';

/**
 * Puts middleware around an application, the first outermost: `compose(timing, sessions)(application)` is
 * `timing(sessions(application))`. Each is called once, when the application is put together, not for each exchange.
 */
export function compose(...middleware: readonly Middleware[]): Middleware {
  return (application) => middleware.reduceRight((inner, outer) => outer(inner), application);
}
