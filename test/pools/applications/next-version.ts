/** Another version of an application: it answers otherwise. */
import type { Exchange } from '../../../workers/gateway.ts';

export default function next(exchange: Exchange): void {
  exchange.respond(299, {}, '');
}
