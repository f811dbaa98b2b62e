/** Combines native middleware. Published as `sluice/middleware`. */
import type { Middleware } from '../gateway.ts';

export { ChangedRequest, type RequestChanges } from './changed-request.ts';
export { FieldList } from './field-list.ts';
export { WrappedBody } from './wrapped-body.ts';
export { WrappedExchange } from './wrapped-exchange.ts';
export { WrappedResponse } from './wrapped-response.ts';

/**
 * Puts middleware around an application, the first outermost: `compose(timing, sessions)(application)` is
 * `timing(sessions(application))`. Each middleware is called once, when the application is assembled, and not
 * for each exchange.
 */
export function compose(...middleware: readonly Middleware[]): Middleware {
  return (application) => middleware.reduceRight((inner, outer) => outer(inner), application);
}
