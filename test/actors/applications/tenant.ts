/** A store that goes along with messages. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { carry } from '../../../workers/actors/actors.ts';

export const tenant: AsyncLocalStorage<{ readonly name: unknown }> = new AsyncLocalStorage();

carry('tenant', tenant);
