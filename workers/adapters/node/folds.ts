/** Which handlers were made of which applications, so that one made back is the application itself. */
import type { Application } from '../../gateway.ts';

const made = new WeakMap<object, Application>();

export function remember(handler: object, application: Application): void {
  made.set(handler, application);
}

export function folded(handler: object): Application | null {
  return made.get(handler) ?? null;
}
