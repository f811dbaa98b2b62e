/** Staged exchanges, and the echo of whole messages beside them. */

import type { Exchange } from '../../../workers/gateway.ts';
import messages from '../../server/applications/messages.ts';
import staged from '../../server/applications/staged.ts';

export default function mixed(exchange: Exchange): Promise<void> {
  return exchange.request.path.startsWith('/echo') ? messages(exchange) : staged(exchange);
}
