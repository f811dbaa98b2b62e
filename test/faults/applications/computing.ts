/** Light requests, ones that compute for a while, and ones that hold their thread until a word; at once, after a microtask, or after a tick. */
import type { Exchange } from '../../../workers/gateway.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

/** Longer than a turn of the host. */
const COMPUTE_MS = 5;

export default async function computing(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  const [, what, when] = path.split('/');
  if (when === 'microtask') await exchange.body.text();
  if (when === 'tick') await new Promise<void>((resolve) => process.nextTick(resolve));
  if (what === 'compute') {
    const until = performance.now() + COMPUTE_MS;
    while (performance.now() < until);
  }
  if (what === 'block') {
    const signals = new Signals(fields.get(SIGNALS_FIELD) as string);
    signals.tell('blocks');
    signals.blockUntil('release');
    signals.close();
  }
  exchange.respond(200, {}, what);
}
