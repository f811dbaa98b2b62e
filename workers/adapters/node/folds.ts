/** Remembers which handler was made from which application, so that adapting the handler back returns the application itself. */
import type { Application } from '../../gateway.ts';

const made = new WeakMap<object, Application>();

export function remember(handler: object, application: Application): void {
  made.set(handler, application);
}

export function folded(handler: object): Application | null {
  return made.get(handler) ?? null;
}
