/**
 * WebSockets for applications: `import { acceptWebSocket } from 'sluice/websocket'`.
 *
 * The handshake and the frames are handled here, in the application's thread, over the exchange's tunnel; the
 * reactor only moves bytes. So masking and deflating use the thread's core, and the tunnel's credit also
 * limits messages.
 */
import { FlatFields } from '../fields/flat.ts';
import { flatten } from '../fields/sent.ts';
import type { Exchange } from '../gateway.ts';
import { judgeHandshake } from './handshake.ts';
import type { Timers } from './keep-alive.ts';
import { type WebSocketOptions, webSocketSettings } from './options.ts';
import { ServerWebSocket } from './socket.ts';

export { WebSocketError, WebSocketErrorCode } from './errors.ts';
export type { Message } from './message-queue.ts';
export type { CompressionOptions, WebSocketOptions } from './options.ts';
export { PreparedMessage } from './prepared.ts';
export type { ServerWebSocket, WebSocketClosed } from './socket.ts';

const SYSTEM_TIMERS: Timers = {
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/**
 * Accepts the WebSocket that a request asks for. The socket lasts as long as the application's function. It
 * closes with 1000 when that returns, with 1011 when it throws, and with 1001 when the server begins to stop.
 * @returns null if the request was no valid handshake; it was then answered with 400, 403 or 503
 * @throws WebSocketError `SLUICE_WEBSOCKET_OPTION_INVALID`
 */
export async function acceptWebSocket(
  exchange: Exchange,
  options?: WebSocketOptions,
): Promise<ServerWebSocket | null> {
  return acceptWith(exchange, options, SYSTEM_TIMERS);
}

/** `acceptWebSocket` with another clock. */
export function acceptWith(
  exchange: Exchange,
  options: WebSocketOptions | undefined,
  timers: Timers,
): ServerWebSocket | null {
  const settings = webSocketSettings(options);
  if (exchange.draining.aborted) {
    exchange.respond(503, { 'retry-after': 1 }, 'the server is about to stop\n');
    return null;
  }
  const handshake = judgeHandshake(exchange.request, settings);
  if (handshake.status !== 'accepted') {
    const fields = [...handshake.fields, ['content-type', 'text/plain; charset=utf-8'] as const];
    exchange.respond(handshake.status, fields, `${handshake.why}\n`);
    return null;
  }
  const { protocol, deflate } = handshake;
  const tunnel = exchange.accept([...handshake.fields, ...new FlatFields(flatten(settings.fields))]);
  return new ServerWebSocket(
    tunnel,
    exchange.closed,
    exchange.draining,
    {
      ...settings,
      protocol,
      deflate,
      compressFromBytes: settings.compression?.thresholdBytes ?? 0,
      compressionLevel: settings.compression?.level ?? 0,
    },
    timers,
  );
}
