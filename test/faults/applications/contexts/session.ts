/** What each application of these tests does on a request: says whose context it finds, and enters the request's own. */
import { AsyncLocalStorage, executionAsyncId } from 'node:async_hooks';

export const session = new AsyncLocalStorage<string>();

/** Whose context it is, and which of Node's. */
export function look(): string {
  return `${session.getStore() ?? 'nobody'} in ${executionAsyncId()}`;
}

/** As `look`, and from then on the context is the user's. */
export function enter(user: string | undefined): string {
  const found = look();
  session.enterWith(user ?? 'somebody');
  return found;
}
