/** Gives its exchange everything that is wrong, and answers with what was not refused as it must be. */
import type { Exchange } from '../../../workers/gateway.ts';
import { acceptWebSocket } from '../../../workers/websocket/accept.ts';
import { contents, refusedByTunnel, refusedEarly, refusedLate } from '../wrong.ts';

export default async function refusing(exchange: Exchange): Promise<void> {
  if (exchange.request.protocol === 'websocket') return socket(exchange);
  if (exchange.request.method === 'CONNECT') return tunnel(exchange);
  if (exchange.request.path.endsWith('/whole')) {
    const complaints = await refusedEarly(exchange);
    exchange.respond(200, { 'x-a': '1' }, JSON.stringify(complaints));
    return;
  }
  exchange.respond(200, { 'x-a': '1' });
  const complaints = await refusedLate(exchange);
  await exchange.write(JSON.stringify(complaints));
  exchange.end();
}

async function tunnel(exchange: Exchange): Promise<void> {
  const tunnel = exchange.accept();
  await tunnel.write(Buffer.from(JSON.stringify(await refusedByTunnel(tunnel))));
  tunnel.end();
}

async function socket(exchange: Exchange): Promise<void> {
  const socket = await acceptWebSocket(exchange);
  if (socket === null) return;
  const complaints: string[] = [];
  for (const [what, wrong] of contents) {
    try {
      await socket.send(wrong as never);
      complaints.push(`${what} was sent`);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'SLUICE_VALUE_INVALID') complaints.push(`${what} was refused with ${code}`);
    }
  }
  await socket.send(JSON.stringify(complaints));
}
