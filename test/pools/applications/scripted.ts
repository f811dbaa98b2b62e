/** Does what the path says. */
import { getPriority } from 'node:os';
import type { Exchange } from '../../../workers/gateway.ts';

/** Exchanges that this instance of the module has served. */
let served = 0;

async function untilDrain(exchange: Exchange): Promise<void> {
  exchange.inform(103, {});
  await new Promise((resolve) => exchange.draining.addEventListener('abort', resolve));
}

export default async function scripted(exchange: Exchange): Promise<void> {
  const { path } = exchange.request;
  if (path.startsWith('/exit-at-drain')) await untilDrain(exchange);
  if (path.startsWith('/exit')) process.exit(3);
  if (path.startsWith('/uncloneable')) throw Object.assign(new Error(), { message: () => undefined });
  if (path.startsWith('/nothing')) throw Object.create(null);
  if (path.startsWith('/hold')) return new Promise(() => undefined);
  if (path.startsWith('/until-drain')) await untilDrain(exchange);
  if (path.startsWith('/serial')) return exchange.respond(200 + ++served, {}, '');
  // A status has no sign, and niceness goes from -20 to 19.
  if (path.startsWith('/nice')) return exchange.respond(320 + getPriority(), {}, '');
  exchange.respond(200, {}, path);
  // The response is out and the function goes on: the thread cannot drain.
  if (path.startsWith('/linger')) await new Promise(() => undefined);
}
