import type { Exchange } from '../../../workers/gateway.ts';
import { acceptWebSocket } from '../../../workers/websocket/accept.ts';
import { note } from '../journal.ts';

export default async function application(exchange: Exchange): Promise<void> {
  const [, , what = '', id = ''] = exchange.request.path.split('/');
  note(id);
  if (what === 'exit') process.exit(1);
  const socket = await acceptWebSocket(exchange, { compression: true });
  if (socket === null) return;
  for await (const message of socket) await socket.send(message);
}
