/** Says what its request is called, as a native application finds it; fails and dies where it is asked to. */
import type { Exchange } from '../../../workers/gateway.ts';
import { acceptWebSocket } from '../../../workers/websocket/accept.ts';

export default async (exchange: Exchange): Promise<void> => {
  const { path, fields } = exchange.request;
  if (path === '/fail') throw new Error('asked to');
  if (path === '/die') process.exit(7);
  if (path === '/socket') {
    await acceptWebSocket(exchange);
    return;
  }
  const own = path === '/own' ? { 'x-request-id': 'of-the-application' } : {};
  exchange.respond(200, own, JSON.stringify(fields.all('x-request-id')));
};
