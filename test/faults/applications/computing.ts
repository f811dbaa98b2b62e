/** Light requests, ones that compute for a while, uploads that are read at once, and ones that hold their thread until a word; at once, after a microtask, or after a tick. */
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
  let bytes = 0;
  if (what === 'upload') for await (const piece of exchange.body) bytes += piece.length;
  exchange.respond(200, {}, what === 'upload' ? String(bytes) : what);
}
