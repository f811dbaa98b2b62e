/**
 * A server beside the application that opens a port, such as that of a metrics exporter. The first thread that binds the port has it.
 * The other threads retry every second, so that one of them takes over soon after that thread has ended. In every thread the server
 * reports that it listens.
 */
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';

const RETRY_MS = 1_000;

interface Bound {
  close(): void;
}

/** @param listen Node's own `Server.prototype.listen`, which Sluice replaces for HTTP servers */
export function bindWhenFree(
  server: NodeJS.EventEmitter,
  address: ListenOptions,
  listen: Server['listen'],
): Bound {
  let timer: NodeJS.Timeout | null = null;
  // The module's server handles each accepted connection, with its own listeners, limits and TLS.
  const carrier = createServer({ allowHalfOpen: true }, (socket: Socket) =>
    server.emit('connection', socket),
  );
  const bind = () => void Reflect.apply(listen, carrier, [address]);
  carrier.unref();
  carrier.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') timer = setTimeout(bind, RETRY_MS).unref();
    else {
      process.emitWarning(`the port ${address.port} cannot be listened on: ${error.message}`, {
        code: 'SLUICE_PORT_NOT_BOUND',
      });
    }
  });
  bind();
  return {
    close() {
      if (timer !== null) clearTimeout(timer);
      if (carrier.listening) carrier.close();
      (server as { closeIdleConnections?(): void }).closeIdleConnections?.();
    },
  };
}
