/** Does what the path says. */
import type { Exchange } from '../../../workers/gateway.ts';

export default async function scripted(exchange: Exchange): Promise<void> {
  const { path } = exchange.request;
  if (path.startsWith('/exit')) process.exit(3);
  if (path.startsWith('/uncloneable')) throw Object.assign(new Error(), { message: () => undefined });
  if (path.startsWith('/nothing')) throw Object.create(null);
  exchange.respond(200, {}, path);
}
