import type { Exchange } from '../../../../workers/gateway.ts';
import { acceptWebSocket } from '../../../../workers/websocket/accept.ts';
import { enter, session } from './session.ts';

export default async function application(exchange: Exchange): Promise<void> {
  const found = enter(exchange.request.fields.get('x-user'));
  const socket = await acceptWebSocket(exchange);
  if (socket === null) return;
  for await (const message of socket) await socket.send(`${message}: ${found}, then ${session.getStore()}`);
}
