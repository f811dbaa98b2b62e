/** What a reload must not break: uploads, events, sockets and small answers. Each begun exchange is told by its `x-id`. */
import { BroadcastChannel, threadId } from 'node:worker_threads';
import type { Exchange } from '../../../workers/gateway.ts';
import { acceptWebSocket } from '../../../workers/websocket/accept.ts';

const channels = new Map<string, BroadcastChannel>();

/** A channel that stands in its thread's way out is none. */
function tell(name: string, id: string): void {
  const channel = channels.get(name) ?? new BroadcastChannel(name);
  channel.unref();
  channels.set(name, channel);
  channel.postMessage(id);
}

export default async function long(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  tell(fields.get('x-journal') ?? '', fields.get('x-id') ?? '');
  switch (path) {
    case '/upload': {
      let bytes = 0;
      for await (const piece of exchange.body) bytes += piece.length;
      exchange.respond(200, {}, String(bytes));
      return;
    }
    case '/events': {
      exchange.respond(200, { 'content-type': 'text/event-stream' });
      for (let event = 0; !exchange.draining.aborted; event++) {
        await exchange.write(`data: ${event}\n\n`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await exchange.write('data: draining\n\n');
      exchange.end();
      return;
    }
    case '/socket': {
      const socket = await acceptWebSocket(exchange);
      if (socket === null) return;
      for await (const message of socket) await socket.send(message);
      return;
    }
    default:
      exchange.respond(200, {}, `thread ${threadId}`);
  }
}
