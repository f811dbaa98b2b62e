/** An application that is not the other one. */
import type { Exchange } from '../../../workers/gateway.ts';

export default function poolName(exchange: Exchange): void {
  exchange.respond(200, {}, 'another application');
}
