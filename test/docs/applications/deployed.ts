/** Says what it knows of a request; echoes bodies and WebSocket messages. */
import type { Exchange } from '../../../workers/gateway.ts';
import { acceptWebSocket } from '../../../workers/websocket/accept.ts';

export default async (exchange: Exchange): Promise<void> => {
  const { path, remote, version, method } = exchange.request;
  if (path === '/socket') {
    const socket = await acceptWebSocket(exchange);
    if (socket !== null) for await (const message of socket) await socket.send(message);
    return;
  }
  if (method === 'POST') exchange.respond(200, {}, await exchange.body.text());
  else exchange.respond(200, {}, `${path} from ${remote.address} by ${version}\n`);
};
